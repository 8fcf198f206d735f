import { afterEach, describe, expect, test } from "bun:test";
import { mappedBytes, systemCall } from "../../../src/linux/ffi.ts";
import { writeSegment } from "../../../src/linux/start/segment.ts";
import { call } from "../../../src/linux/system-calls.ts";

const uid = process.getuid?.() ?? 0;
/** No record of anybody's has it, for all that is known: another one for each process. */
const key = 0x7a_00_00_00 + process.pid;
const IPC_RMID = 0;
const SHM_RDONLY = 0o10000;

function find(): number {
  return systemCall(call.shmget, key);
}

function read(size: number): Uint8Array {
  const address = systemCall(call.shmat, find(), 0, SHM_RDONLY);
  const bytes = mappedBytes(address, size).slice();
  systemCall(call.shmdt, address);
  return bytes;
}

afterEach(() => {
  systemCall(call.shmctl, find(), IPC_RMID);
});

describe("a segment", () => {
  test("holds the bytes, and nobody else's eyes see them", () => {
    const bytes = Uint8Array.from({ length: 10_001 }, (_, at) => at % 251);
    expect(writeSegment(key, bytes, uid)).toBe(true);
    expect(read(bytes.length)).toEqual(bytes);
    const line = Bun.file("/proc/sysvipc/shm").text();
    return line.then((text) => {
      const columns = text.split("\n").map((entry) => entry.trim().split(/ +/));
      expect(columns.find(([found]) => Number(found) === key)?.[2]).toBe("600");
    });
  });

  test("takes the place of an own one, larger or smaller", () => {
    for (const size of [8, 50_000, 5]) {
      const bytes = new Uint8Array(size).fill(size % 256);
      expect(writeSegment(key, bytes, uid)).toBe(true);
      expect(read(size)).toEqual(bytes);
    }
  });

  test("of another user's is left as it is", () => {
    expect(writeSegment(key, Uint8Array.of(1, 2, 3, 4, 5), uid)).toBe(true);
    const id = find();
    expect(writeSegment(key, Uint8Array.of(9, 9, 9, 9, 9), uid + 1)).toBe(false);
    expect(find()).toBe(id);
    expect(read(5)).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
  });
});
