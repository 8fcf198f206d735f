/** The native front is stitched to an executable that is laid out as the runtime's own is, and to no other; which stays what it was. */
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addFront, takesFront } from "../../../scripts/build/front.ts";
import { makeFolder } from "../../support/folders.ts";

const LOAD = 1;
const NOTE = 4;
const HEADER = 64;
const PROGRAM_HEADER = 56;
const FRONT = 0x1000_0000;

interface Made {
  readonly type: number;
  readonly address: number;
  readonly size?: number;
}

/** An ELF file of these segments; nothing in it can run. */
function elf(segments: readonly Made[], change: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(8192, 0xaa);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeBigUInt64LE(0x40_1234n, 24);
  bytes.writeBigUInt64LE(BigInt(HEADER), 32);
  bytes.writeUInt16LE(PROGRAM_HEADER, 54);
  bytes.writeUInt16LE(segments.length, 56);
  segments.forEach(({ type, address, size = 4096 }, index) => {
    const at = HEADER + index * PROGRAM_HEADER;
    bytes.writeUInt32LE(type, at);
    bytes.writeUInt32LE(4, at + 4);
    for (const [place, value] of [0, address, address, size, size, 4096].entries())
      bytes.writeBigUInt64LE(BigInt(value), at + 8 + place * 8);
  });
  change(bytes);
  return bytes;
}

const folder = makeFolder("stitch");
const written = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const load = (address: number, size?: number): Made => ({ type: LOAD, address, ...(size !== undefined && { size }) });
const note: Made = { type: NOTE, address: 0x40_0200, size: 64 };
const good = [load(0x40_0000), load(0x50_0000), note];

/** What the header of a segment says. */
function segmentsOf(bytes: Buffer) {
  return Array.from({ length: bytes.readUInt16LE(56) }, (_, index) => {
    const at = Number(bytes.readBigUInt64LE(32)) + index * PROGRAM_HEADER;
    const word = (place: number) => Number(bytes.readBigUInt64LE(at + 8 + place * 8));
    const [offset, address, fileBytes] = [word(0), word(1), word(3)];
    return { type: bytes.readUInt32LE(at), flags: bytes.readUInt32LE(at + 4), at, offset, address, fileBytes };
  });
}

/** The front's segment, and what there is of it in the executable. */
function frontOf(bytes: Buffer) {
  const found = segmentsOf(bytes).filter(({ type, address }) => type === LOAD && address === FRONT);
  expect(found).toHaveLength(1);
  const [front] = found;
  if (front === undefined) throw new Error("no front");
  return { ...front, entry: Number(bytes.readBigUInt64LE(24)), goesOn: bytes.readBigUInt64LE(front.offset) };
}

describe("an executable", () => {
  test.each<[string, Buffer]>([
    ["without an address of its own", elf([load(0), load(0x10_0000), note])],
    ["without notes", elf([load(0x40_0000), load(0x50_0000)])],
    ["whose notes come before what is loaded", elf([note, load(0x40_0000)])],
    ["that reaches up to the front", elf([load(0x40_0000), load(0xfff_f000, 4097), note])],
    ["that begins above the front", elf([load(0x2000_0000), note])],
  ])("%s goes without a front, and stays as it is", (name, bytes) => {
    const file = written(name.replaceAll(" ", "-"), bytes);
    expect(takesFront(file)).toBe(false);
    expect(() => addFront(file, "0123456789abcdef")).toThrow("is not laid out as the runtime's own is");
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  test.each<[string, Buffer]>([
    ["of another format", Buffer.from(`#!/bin/sh\n${"#".repeat(500)}`)],
    ["of 32 bits", elf(good, (bytes) => bytes.writeUInt8(1, 4))],
  ])("%s is refused by name", (name, bytes) => {
    const file = written(name.replaceAll(" ", "-"), bytes);
    expect(() => takesFront(file)).toThrow(`${file} is no ELF file of 64 bits`);
    expect(() => addFront(file, "0123456789abcdef")).toThrow(file);
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  test("of the runtime's layout gets one more segment, its entry, and is otherwise the same", () => {
    const bytes = elf(good);
    const file = written("good", bytes);
    expect(takesFront(file)).toBe(true);
    addFront(file, "0123456789abcdef");
    const stitched = readFileSync(file);
    const front = frontOf(stitched);
    expect(front).toMatchObject({ flags: 5, at: HEADER + 2 * PROGRAM_HEADER, goesOn: 0x40_1234n });
    expect(front.entry).toBeWithin(FRONT, FRONT + front.fileBytes);
    expect([front.offset % 4096, stitched.length]).toEqual([0, front.offset + front.fileBytes]);
    const same = Buffer.from(stitched.subarray(0, bytes.length));
    bytes.copy(same, 24, 24, 32);
    bytes.copy(same, front.at, front.at, front.at + PROGRAM_HEADER);
    expect(same.equals(bytes)).toBe(true);
    expect(() => addFront(file, "0123456789abcdef")).toThrow("is not laid out");
  });
});

describe("a program with a front", () => {
  const source = `#include <stdio.h>
    extern char **environ;
    int main(int argc, char **argv) {
      for (int i = 1; i < argc; i++) printf("%s|", argv[i]);
      for (char **e = environ; *e; e++) printf("%s;", *e);
      fflush(stdout);
      return argc + 40;
    }`;

  test("finds its arguments and its environment, and ends as it would without", () => {
    const file = join(folder, "program");
    writeFileSync(`${file}.c`, source);
    const built = Bun.spawnSync(["gcc", "-static", "-no-pie", "-O1", `${file}.c`, "-o", file]);
    expect(built.stderr.toString()).toBe("");
    const run = (...args: string[]) => {
      const { exitCode, stdout, stderr } = Bun.spawnSync([file, ...args], { env: { A: "1", B: "two words" } });
      return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
    };
    const calls = [[], ["a", "", "ä b"], ["sandbox", "--", "true"], ["sandbox", "true"], ["x".repeat(100_000)]];
    const before = calls.map((args) => run(...args));
    expect(before[1]).toEqual({ exitCode: 44, stdout: "a||ä b|A=1;B=two words;", stderr: "" });
    addFront(file, "0123456789abcdef");
    expect(frontOf(readFileSync(file)).fileBytes).toBeGreaterThan(1000);
    expect(calls.map((args) => run(...args))).toEqual(before);
  });
});

describe("dist/rauha", () => {
  const file = join(import.meta.dir, "../../../dist/rauha");
  const bytes = readFileSync(file);

  test("is entered through the front, which goes on to the runtime", () => {
    const front = frontOf(bytes);
    expect(bytes.subarray(0, 7).toHex()).toBe("7f454c46020101");
    expect(front.entry).toBeWithin(FRONT, FRONT + front.fileBytes);
    const goesOn = Number(front.goesOn);
    const within = segmentsOf(bytes).filter(
      ({ type, address, fileBytes }) => type === LOAD && goesOn >= address && goesOn < address + fileBytes,
    );
    expect(within).toHaveLength(1);
    // Executable, and not the front itself.
    expect([(within[0]?.flags ?? 0) & 1, within[0]?.address === FRONT]).toEqual([1, false]);
    expect(segmentsOf(bytes).filter(({ type, flags }) => type === LOAD && (flags & 3) === 3)).toEqual([]);
  });

  test("still is the runtime when it is asked to be", () => {
    const asked = (...args: string[]) =>
      Bun.spawnSync([file, ...args], { env: { BUN_BE_BUN: "1", PATH: "/usr/bin:/bin" } });
    expect(asked("--version").stdout.toString().trim()).toBe(Bun.version);
    const { stdout } = asked("-e", "console.log(process.argv.slice(1).join())", "sandbox", "--", "true");
    expect(stdout.toString()).toContain("true");
  });
});
