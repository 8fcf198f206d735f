import type { Consultation } from "./consulted.ts";
import { startCheck, startMagic } from "./contract.ts";
import type { CutPlan } from "./cut-plan.ts";
import type { ResultTemplate } from "./template.ts";

/** Who started, as far as a plan depends on it. */
export interface StartIdentity {
  readonly uid: number;
  readonly gid: number;
  readonly capabilities: bigint;
  /** Inode of the user namespace; 0 where it is not known. */
  readonly userNamespace: bigint;
  readonly landlockAbi: number;
  readonly seccomp: boolean;
  readonly stdinIsTerminal: boolean;
  readonly cwd: string;
}

/** A start to be remembered; contract.ts says what each part is there for. */
export interface StartRecord {
  readonly build: bigint;
  readonly options: readonly string[];
  readonly identity: StartIdentity;
  readonly consulted: readonly Consultation[];
  /** Variables of the caller's environment; undefined: it has none of that name. */
  readonly variables: readonly (readonly [name: string, value: string | undefined])[];
  readonly plan: CutPlan;
  /** Records of the report, as they travel. */
  readonly reported: readonly Uint8Array[];
  readonly collected: readonly { readonly op: number; readonly as: number }[];
  readonly succeeded: ResultTemplate;
  readonly failed: ResultTemplate;
}

/** The record as bytes. */
export function encodeRecord(record: StartRecord): Uint8Array<ArrayBuffer> {
  const { identity, plan } = record;
  const out = new RecordWriter();
  out.u32(startMagic);
  out.u32(0);
  out.u64(record.build);
  out.strs(record.options);
  out.u32(identity.uid);
  out.u32(identity.gid);
  out.u64(identity.capabilities);
  out.u64(identity.userNamespace);
  out.u32(identity.landlockAbi);
  out.u32(Number(identity.seccomp));
  out.u32(Number(identity.stdinIsTerminal));
  out.str(identity.cwd);
  writeChecks(out, record);
  out.u32(plan.ops);
  out.bytes(plan.before);
  out.list(plan.zoneIds, (place) => out.u32(place));
  out.list(plan.firstIds, (place) => out.u32(place));
  out.strs(plan.entrypoint);
  out.bytes(plan.environment);
  out.list(record.reported, (each) => out.bytes(each));
  out.list(record.collected, ({ op, as }) => {
    out.u32(op);
    out.u32(as);
  });
  for (const { text, holes } of [record.succeeded, record.failed]) {
    out.bytes(text);
    out.list(holes, ({ place, hole }) => {
      out.u32(place);
      out.u32(hole);
    });
  }
  return out.finish();
}

/** What is to be held comes first: from then on nothing of it can go away. */
function writeChecks(out: RecordWriter, { consulted, variables }: StartRecord): void {
  const holds = consulted.filter(({ kind }) => kind === "hold");
  const others = consulted.filter(({ kind }) => kind !== "hold");
  out.u32(consulted.length + variables.length);
  for (const check of [...holds, ...others]) {
    out.u32(startCheck[check.kind]);
    out.str(check.path);
    if (check.kind === "access") {
      out.u32(check.mode);
      out.u32(Number(check.allowed));
    } else if (check.kind === "read") {
      const { outcome } = check;
      out.u32(check.limit);
      out.u32(typeof outcome === "number" ? -outcome : 0);
      out.bytes(typeof outcome === "number" ? new Uint8Array() : outcome);
    }
  }
  for (const [name, value] of variables) {
    out.u32(startCheck.variable);
    out.str(name);
    out.u32(value === undefined ? 0 : 1);
    out.bytes(new TextEncoder().encode(value ?? ""));
  }
}

/** Fields one after the other, little endian, unaligned. */
class RecordWriter {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  u32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  u64(value: bigint): void {
    this.#room(8);
    this.#view.setBigUint64(this.#at, value, true);
    this.#at += 8;
  }

  bytes(value: Uint8Array): void {
    this.u32(value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  str(value: string): void {
    this.bytes(new TextEncoder().encode(value));
    this.#room(1);
    this.#at += 1;
  }

  list<T>(values: readonly T[], write: (value: T) => void): void {
    this.u32(values.length);
    for (const value of values) write(value);
  }

  strs(values: readonly string[]): void {
    this.list(values, (value) => this.str(value));
  }

  /** All of it, with its size in its place. */
  finish(): Uint8Array<ArrayBuffer> {
    this.#view.setUint32(4, this.#at, true);
    return this.#bytes.subarray(0, this.#at);
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#at + more, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
