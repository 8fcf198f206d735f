/**
 * Compiles the native front and puts it into the executable, as one more segment: the executable's entry becomes the front's, and
 * the front goes on to the executable's own (native/front/entry.c).
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { BuildError } from "./build-error.ts";
import { findCCompiler } from "./c-compiler.ts";
import { WARNINGS } from "./native-program.ts";
import { filesOf } from "./stamp.ts";

/** No C library, no start files, nothing that needs either: no stack protector, no calls of `memcpy` where there is a loop. */
const CODE = [
  ..."-std=gnu11 -O2 -ffreestanding -fno-builtin -fno-tree-loop-distribute-patterns".split(" "),
  ..."-fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-pic -no-pie".split(" "),
];
const LINK = [
  ..."-nostdlib -static -Wl,-T,native/front/front.ld -Wl,--build-id=none -Wl,-z,noexecstack".split(" "),
  "-s",
];

/** What the front is made of, for the stamp of what it becomes a part of. */
export const FRONT_INPUTS = ["native/front/*", "scripts/build/front.ts", "native/launcher/contract.gen.h"];

/** Puts the front into `executable`. `buildId` is what records of starts are known by: sixteen hexadecimal digits. */
export function addFront(executable: string, buildId: string): void {
  const program = readElf(readFileSync(executable), executable);
  const slot = slotFor(program);
  if (slot === undefined) throw new BuildError("the compiled executable is not laid out as the runtime's own is");
  const front = readElf(readFileSync(compileFront(buildId)), "the front");
  writeFileSync(executable, stitch(program, slot, front), { mode: 0o755 });
}

function compileFront(buildId: string): string {
  const compiler = findCCompiler();
  const file = "build/front.elf";
  mkdirSync("build", { recursive: true });
  rmSync(file, { force: true });
  const defines = [`-DBUILD_ID=0x${buildId}ull`, `-DLAUNCHER="${resolve("dist/launcher")}"`];
  const code = process.arch === "arm64" ? CODE.filter((flag) => !flag.startsWith("-fcf-")) : CODE;
  const headers = compiler.flags.filter((flag, at, all) => flag === "-idirafter" || all[at - 1] === "-idirafter");
  const command = [
    compiler.command,
    ...code,
    `-ffile-prefix-map=${process.cwd()}=.`,
    ...WARNINGS,
    ...headers,
    ...defines,
  ];
  const { exitCode, stderr } = Bun.spawnSync([...command, ...filesOf(["native/front/*.c"]), ...LINK, "-o", file], {
    stdout: "inherit",
    stderr: "pipe",
  });
  if (exitCode !== 0) throw new BuildError(`native/front does not compile:\n${stderr.toString().trimEnd()}`);
  return file;
}

const PT_LOAD = 1;
const PT_NOTE = 4;
const READ_EXECUTE = 5;
/** The largest page of the machines. */
const PAGE = 65536;
/** Fields of an ELF header of 64 bits, elf(5). */
const at = { entry: 24, programHeaders: 32, programHeaderSize: 54, programHeaderCount: 56 } as const;

interface Segment {
  /** Where its header stands in the file. */
  readonly header: number;
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
}

interface Elf {
  readonly bytes: Buffer;
  readonly entry: bigint;
  readonly segments: readonly Segment[];
}

function readElf(bytes: Buffer, name: string): Elf {
  if (bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2) throw new BuildError(`${name} is no ELF file of 64 bits`);
  const first = Number(bytes.readBigUInt64LE(at.programHeaders));
  const size = bytes.readUInt16LE(at.programHeaderSize);
  const segments = Array.from({ length: bytes.readUInt16LE(at.programHeaderCount) }, (_, index) => {
    const header = first + index * size;
    const word = (field: number) => Number(bytes.readBigUInt64LE(header + field));
    const place = { offset: word(8), address: word(16), fileBytes: word(32), memoryBytes: word(40) };
    return { header, type: bytes.readUInt32LE(header), ...place };
  });
  return { bytes, entry: bytes.readBigUInt64LE(at.entry), segments };
}

/** Where the front's segment lies in memory: native/front/front.ld. */
const ADDRESS = 0x1000_0000;

/** The header that the front takes: that of the notes (which build of the runtime this is), since there is no room for one more. */
function slotFor({ segments }: Elf): Segment | undefined {
  const slot = segments.find(({ type }) => type === PT_NOTE);
  const loaded = segments.filter(({ type }) => type === PT_LOAD);
  const end = Math.max(...loaded.map(({ address, memoryBytes }) => address + memoryBytes));
  // Headers of segments stand in the order of their addresses, and a program without an address of its own can't be jumped into.
  const fits = end <= ADDRESS && (loaded[0]?.address ?? 0) > 0;
  return slot !== undefined && fits && loaded.every(({ header }) => header < slot.header) ? slot : undefined;
}

/** Whether a runtime's executable can have a front; one that is laid out in another way goes without. */
export function takesFront(executable: string): boolean {
  return slotFor(readElf(readFileSync(executable), executable)) !== undefined;
}

function stitch(program: Elf, slot: Segment, front: Elf): Uint8Array {
  const [code, ...more] = front.segments.filter(({ type }) => type === PT_LOAD);
  if (code?.address !== ADDRESS || more.length > 0) throw new BuildError("the front is not one segment at its address");
  const offset = Math.ceil(program.bytes.length / PAGE) * PAGE;
  const whole = Buffer.alloc(offset + code.fileBytes);
  program.bytes.copy(whole);
  front.bytes.copy(whole, offset, code.offset, code.offset + code.fileBytes);
  // The front's first word: where it goes on.
  whole.writeBigUInt64LE(program.entry, offset);
  whole.writeBigUInt64LE(front.entry, at.entry);
  whole.writeUInt32LE(PT_LOAD, slot.header);
  whole.writeUInt32LE(READ_EXECUTE, slot.header + 4);
  const fields = [offset, code.address, code.address, code.fileBytes, code.memoryBytes, PAGE];
  for (const [index, value] of fields.entries()) whole.writeBigUInt64LE(BigInt(value), slot.header + 8 + index * 8);
  return whole;
}
