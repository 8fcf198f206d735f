/**
 * What Rauha knows of a kept task, beside its layers: one small file of two lines of JSON, the second for its end. It is written by
 * Rauha alone; still it is checked when read, because a disk may hold anything.
 */
export interface TaskRecord {
  readonly version: 1;
  readonly task_id: string;
  readonly command_hash: string;
  readonly policy: { readonly name: string; readonly hash: string };
  /** Nanoseconds since the epoch, as text: what changed on the host after it was changed by someone else. */
  readonly started_ns: string;
  readonly started_at: string;
  readonly layers: readonly LayerRecord[];
  /** Absent while the task runs, or when Rauha was killed meanwhile. */
  readonly finished?: FinishRecord | undefined;
}

export type CopyMechanism = "overlayfs" | "reflink copy" | "copy";

/** One directory of the host that the task saw copy-on-write; the first is the workspace, where there is one. */
export interface LayerRecord {
  /** On the host: absolute, without symlinks. */
  readonly source: string;
  /** In the zone. */
  readonly target: string;
  readonly mechanism: CopyMechanism;
}

export interface FinishRecord {
  readonly at: string;
  readonly status: string;
  readonly exit_code: number | null;
  readonly changes: number;
}

const mechanisms: ReadonlySet<unknown> = new Set(["overlayfs", "reflink copy", "copy"]);

/** The first line of the file: what is known when the task starts. */
export function encodeRecord({ finished, ...record }: TaskRecord): Uint8Array {
  const line = `${JSON.stringify(record)}\n`;
  return new TextEncoder().encode(finished === undefined ? line : `${line}${JSON.stringify(finished)}\n`);
}

/** The second line, which the end of the run adds. */
export function encodeFinish(finish: FinishRecord): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(finish)}\n`);
}

/** Undefined for what is no record of this version. A last line without its end was being written when the run was killed. */
export function decodeRecord(bytes: Uint8Array): TaskRecord | undefined {
  const [line, end, rest] = new TextDecoder().decode(bytes).split("\n", 3);
  const record = parsed(line ?? "");
  if (end === undefined || !isRecord(record)) return undefined;
  if (rest === undefined) return record;
  const finished = parsed(end);
  return isFinish(finished) ? { ...record, finished } : undefined;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

type Loose = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRecord(value: unknown): value is TaskRecord {
  if (!isObject(value) || value["version"] !== 1) return false;
  const texts = ["task_id", "command_hash", "started_ns", "started_at"].every((key) => typeof value[key] === "string");
  const { policy, layers, finished } = value;
  return (
    texts &&
    /^\d{1,20}$/.test(String(value["started_ns"])) &&
    isObject(policy) &&
    typeof policy["name"] === "string" &&
    typeof policy["hash"] === "string" &&
    Array.isArray(layers) &&
    layers.every(isLayer) &&
    (finished === undefined || isFinish(finished))
  );
}

function isLayer(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { source, target, mechanism } = value;
  return isAbsolute(source) && isAbsolute(target) && mechanisms.has(mechanism);
}

function isAbsolute(value: unknown): boolean {
  return typeof value === "string" && value.startsWith("/") && !value.includes("\0");
}

function isFinish(value: unknown): value is FinishRecord {
  if (!isObject(value)) return false;
  const { at, status, exit_code, changes } = value;
  const counts = typeof changes === "number" && (exit_code === null || typeof exit_code === "number");
  return typeof at === "string" && typeof status === "string" && counts;
}
