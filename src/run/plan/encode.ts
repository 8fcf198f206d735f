import { contractLimits, type FieldType, type PlanOp, planHeaderBytes, planMagic, planOps } from "./contract.ts";
import { contractHash } from "./contract-hash.gen.ts";

type Wire = { readonly id: number; readonly fields: readonly (readonly [name: string, type: FieldType])[] };

const wires = new Map<string, Wire>(
  Object.entries(planOps).map(([name, { id, fields }]) => [name, { id, fields: Object.entries(fields) }]),
);
const encoder = new TextEncoder();

/** An op that can't travel: a NUL in a string, a number that does not fit, a plan that is too big. `op` is its index. */
export class PlanEncodeError extends Error {
  override readonly name = "PlanEncodeError";
  readonly op: number;

  constructor(op: number, message: string) {
    super(message);
    this.op = op;
  }
}

/** The plan as bytes on the wire; see the head of contract.ts for the format. */
export function encodePlan(ops: readonly PlanOp[]): Uint8Array {
  if (ops.length > contractLimits.ops) throw new PlanEncodeError(contractLimits.ops, "the plan has too many ops");
  const writer = new PlanWriter();
  writer.u32(planMagic);
  writer.u64(contractHash);
  writer.u32(ops.length);
  writer.u32(0);
  for (let index = 0; index < ops.length; index++) writer.op(index, ops[index] as PlanOp);
  return writer.finish();
}

/** Writes fields one after the other into a buffer that grows. */
class PlanWriter {
  #bytes = new Uint8Array(16384);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  /** Index of the op at hand, for errors. */
  #op = 0;

  op(index: number, op: PlanOp): void {
    this.#op = index;
    const wire = wires.get(op.op);
    if (wire === undefined) throw this.#error(`there is no op ${op.op}`);
    this.u32(wire.id);
    const length = this.#at;
    this.u32(0);
    for (const [name, type] of wire.fields) this.#field(name, type, (op as unknown as Record<string, unknown>)[name]);
    this.#view.setUint32(length, this.#at - length - 4, true);
  }

  finish(): Uint8Array {
    if (this.#at > contractLimits.planBytes) throw this.#error("the plan is too big");
    this.#view.setUint32(planHeaderBytes - 4, this.#at, true);
    return this.#bytes.subarray(0, this.#at);
  }

  u32(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
      throw this.#error(`${value} does not fit 32 bits`);
    this.#room(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  u64(value: number | bigint): void {
    const fits =
      typeof value === "bigint" ? value >= 0n && value < 1n << 64n : Number.isSafeInteger(value) && value >= 0;
    if (!fits) throw this.#error(`${value} does not fit 64 bits`);
    this.#room(8);
    this.#view.setBigUint64(this.#at, BigInt(value), true);
    this.#at += 8;
  }

  #field(name: string, type: FieldType, value: unknown): void {
    if (value === undefined) throw this.#error(`${name} is missing`);
    if (type === "u32") this.u32(value as number);
    else if (type === "u64") this.u64(value as number | bigint);
    else if (type === "str") this.#path(name, value as string);
    else if (type === "bytes") this.#blob(value as Uint8Array);
    else {
      const words = value as readonly string[];
      this.u32(words.length);
      for (const word of words) this.#str(word);
    }
  }

  #path(name: string, value: string): void {
    const length = this.#str(value);
    if (length > contractLimits.pathBytes)
      throw this.#error(`${name} is longer than ${contractLimits.pathBytes} bytes`);
  }

  #str(value: string): number {
    if (value.includes("\0")) throw this.#error("a string has a NUL in it");
    this.#room(value.length * 3 + 5);
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(this.#at + 4));
    this.#view.setUint32(this.#at, written, true);
    this.#at += 4 + written;
    this.#bytes[this.#at++] = 0;
    return written;
  }

  #blob(value: Uint8Array): void {
    this.u32(value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  #room(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  #error(message: string): PlanEncodeError {
    return new PlanEncodeError(this.#op, message);
  }
}
