/** Shared memory segments, shmget(2): those that starts are remembered in, and some that somebody planted. */
import { dlopen, type Pointer, toArrayBuffer } from "bun:ffi";
import { readFileSync } from "node:fs";
import { keyOf, slotOf } from "../../src/run/start/key.ts";
import { uid } from "./identity.ts";

const IPC_CREAT = 0o1000;
const IPC_RMID = 0;
const libc = dlopen("libc.so.6", {
  shmget: { args: ["i32", "u64", "i32"], returns: "i32" },
  shmat: { args: ["i32", "ptr", "i32"], returns: "ptr" },
  shmdt: { args: ["ptr"], returns: "i32" },
  shmctl: { args: ["i32", "i32", "ptr"], returns: "i32" },
}).symbols;

export interface Segment {
  readonly key: number;
  readonly id: number;
  /** In octal digits. */
  readonly mode: string;
  readonly bytes: number;
  readonly owner: number;
}

/** All that this process's ipc namespace has, but what is removed already. */
export function segments(): Segment[] {
  const [, ...lines] = readFileSync("/proc/sysvipc/shm", "utf8").trimEnd().split("\n");
  return lines
    .map((line) => line.trim().split(/\s+/))
    .map(([key, id, mode = "", bytes, , , , owner]) => ({
      key: Number(key),
      id: Number(id),
      mode: mode.slice(-3),
      bytes: Number(bytes),
      owner: Number(owner),
    }))
    .filter(({ key }) => key !== 0);
}

/** The key of a start's record. */
export function keyOfStart(flags: readonly string[], owner = uid, cwd = "/"): number {
  return keyOf(owner, slotOf(flags, cwd));
}

export function segmentOf(key: number): Segment | undefined {
  return segments().find((each) => each.key === key);
}

function attached<T>(id: number, bytes: number, use: (memory: Uint8Array) => T): T | undefined {
  const at = libc.shmat(id, null, 0) as Pointer;
  // -1, as an unsigned number
  if (at > Number.MAX_SAFE_INTEGER) return undefined;
  const memory = new Uint8Array(toArrayBuffer(at, 0, bytes));
  const result = use(memory);
  libc.shmdt(at);
  return result;
}

/** What a segment holds; nothing when it is gone by now. */
export function readSegment({ id, bytes }: Segment): Uint8Array {
  return attached(id, bytes, (memory) => memory.slice()) ?? new Uint8Array();
}

/** Puts one there, in the place of one's own. */
export function plantSegment(key: number, content: Uint8Array, mode = 0o600): void {
  removeSegment(key);
  const id = libc.shmget(key, content.length, IPC_CREAT | mode);
  if (id < 0) throw new Error(`no segment of ${content.length} bytes`);
  attached(id, content.length, (memory) => memory.set(content));
}

export function removeSegment(key: number): void {
  const found = segmentOf(key);
  if (found !== undefined && libc.shmctl(found.id, IPC_RMID, null) !== 0) throw new Error(`segment ${key} stays`);
}
