import { expect, test } from "bun:test";
import { pathArguments } from "../../../src/run/seccomp/arguments.ts";
import { syscallTable } from "../../../src/run/seccomp/syscalls.ts";

const arches = ["x86_64", "aarch64"] as const;

/** The table as the launcher reads it: pairs of u32, little endian. */
function pairsOf(bytes: Uint8Array): Map<number, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pairs = new Map<number, number>();
  for (let at = 0; at < bytes.length; at += 8) pairs.set(view.getUint32(at, true), view.getUint32(at + 4, true));
  return pairs;
}

test.each(arches)("the path of a call is the argument that the manual says, on %s", (arch) => {
  const pairs = pairsOf(pathArguments(arch));
  const argument = (name: string) => pairs.get(syscallTable(arch).numbers.get(name) ?? -1);
  expect(argument("mount")).toBe(1);
  expect(argument("openat")).toBe(1);
  expect(argument("move_mount")).toBe(3);
  expect(argument("chroot")).toBe(0);
  expect(argument("read")).toBeUndefined();
});

test.each(arches)("every number is a system call, each once, on %s", (arch) => {
  const bytes = pathArguments(arch);
  const pairs = pairsOf(bytes);
  expect(pairs.size).toBe(bytes.length / 8);
  for (const [number, argument] of pairs) {
    expect(syscallTable(arch).names.has(number)).toBe(true);
    expect(argument).toBeLessThan(6);
  }
});

test("a call that only one architecture has is in its table alone", () => {
  expect(pairsOf(pathArguments("x86_64")).size).toBeGreaterThan(pairsOf(pathArguments("aarch64")).size);
});
