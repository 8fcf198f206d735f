/** The native front's parts, compiled with sanitizers where the compiler has them, and asked one by one. */
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { callerEnvironment } from "../support/rauha.ts";

const root = join(import.meta.dir, "../..");
const parts = ["ask", "bytes", "checks", "control_file", "json", "numbers", "plan", "sha256"];
const SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
/** Its own functions must not take the place of the C library's. */
const NAMES = ["memcpy", "memset", "memcmp"].map((name) => `-D${name}=front_${name}`);

/** Whether a read beyond the end of something is seen. */
export const { program, isSanitized } = compile();

function compile(): { program: string | undefined; isSanitized: boolean } {
  const compiler = Bun.which("gcc") ?? Bun.which("cc");
  const program = join(makeFolder("front"), "harness");
  const sources = [
    join(root, "test/native/front_harness.c"),
    ...parts.map((part) => join(root, `native/front/${part}.c`)),
  ];
  if (compiler === null) return { program: undefined, isSanitized: false };
  const words = [
    compiler,
    "-std=gnu11",
    "-O1",
    "-g",
    "-w",
    "-fno-builtin",
    ...NAMES,
    "-DBUILD_ID=build_id",
    ...sources,
  ];
  const build = (more: readonly string[]) => Bun.spawnSync([...words, ...more, "-o", program]);
  if (build(SANITIZERS).exitCode === 0) return { program, isSanitized: true };
  const plain = build([]);
  if (plain.exitCode !== 0) throw new Error(plain.stderr.toString());
  return { program, isSanitized: false };
}

export const question = {
  json: 1,
  utf8: 2,
  time: 3,
  number: 4,
  parse: 5,
  sha256: 6,
  oom: 7,
  io: 8,
  record: 9,
  cuts: 10,
} as const;

export interface Asked {
  readonly question: keyof typeof question;
  readonly payload: Uint8Array;
}

export interface AskedStart {
  /** Sixteen digits, as the front has them. */
  readonly build: string;
  readonly zoneId: string;
  readonly cwd: string;
  readonly options: readonly string[];
  readonly command: readonly string[];
}

const noStart: AskedStart = { build: "0", zoneId: "zone_".padEnd(25, "0"), cwd: "/", options: [], command: ["true"] };

/** Asks all of them, in one process; a crash fails with what the sanitizer says. */
export async function askFront(asked: readonly Asked[], about: AskedStart = noStart): Promise<Buffer[]> {
  const { build, zoneId, cwd, options, command } = about;
  const child = Bun.spawn([program ?? "", build, zoneId, cwd, ...options, "--", ...command], {
    cwd,
    env: { ...callerEnvironment(), ASAN_OPTIONS: "detect_leaks=0" },
    stdio: [Buffer.concat(asked.flatMap(framed)), "pipe", "pipe"],
  });
  const [out, words] = await Promise.all([child.stdout.bytes(), child.stderr.text()]);
  const answers = answersIn(Buffer.from(out));
  const exitCode = await child.exited;
  if (exitCode !== 0 || answers.length !== asked.length)
    throw new Error(`the front ended with ${exitCode} after ${answers.length} of ${asked.length} answers: ${words}`);
  return answers;
}

function framed({ question: name, payload }: Asked): Uint8Array[] {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(question[name], 0);
  header.writeUInt32LE(payload.length, 4);
  return [header, payload];
}

function answersIn(bytes: Buffer): Buffer[] {
  const answers: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const size = bytes.readUInt32LE(at);
    answers.push(bytes.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return answers;
}

/** A number of 64 bits, as the front takes it. */
export function word(value: number | bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
