/**
 * Compiles a folder of native/ into one static program, and into base64 text that the executable embeds (reading an embedded text
 * is 2 ms quicker than an embedded file, and the text goes to a memfd as it is decoded).
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { BuildError } from "./build-error.ts";
import { type CCompiler, findCCompiler } from "./c-compiler.ts";
import { filesOf, hashInputs, isFresh, writeWhole } from "./stamp.ts";

/** What every program of Rauha's in C is compiled with. */
export const WARNINGS = [
  ..."-Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wundef -Wvla -Wformat=2".split(" "),
  ..."-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual".split(" "),
  ..."-Wwrite-strings -Wimplicit-fallthrough -Wswitch-enum".split(" "),
];
const CODE = [
  ..."-std=gnu11 -Os -fstack-protector-strong -fno-common -fno-asynchronous-unwind-tables".split(" "),
  ..."-ffunction-sections -fdata-sections".split(" "),
];
/** The same sources give the same bytes anywhere: no build id, no time, and (in `commandOf`) no paths. */
const LINK = ["-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,-z,relro,-z,now", "-Wl,--gc-sections", "-s"];

/** Native programs that the executable embeds: folders of native/. */
export type NativeName = "launcher" | "gateway";

export interface NativeProgram {
  readonly sha256: string;
  readonly skipped: boolean;
}

/** Builds dist/NAME and build/NAME.b64.txt when their sources, the compiler or the flags changed. */
export async function buildNative(name: NativeName, options: { readonly force: boolean }): Promise<NativeProgram> {
  const program = `dist/${name}`;
  const embedded = `build/${name}.b64.txt`;
  const stamp = `build/${name}.stamp`;
  const sources = filesOf([`native/${name}/*.c`]);
  if (sources.length === 0)
    throw new BuildError(`native/${name}/*.c matches nothing: there is no ${name} to compile yet`);
  const compiler = findCCompiler();
  const command = commandOf(compiler, name, sources);
  const hash = hashInputs(filesOf([`native/${name}/*.{c,h}`]), [compiler.version, ...command]);
  if (!options.force && isFresh(stamp, hash, [program, embedded])) {
    return { sha256: sha256Of(program), skipped: true };
  }
  compile(command, program);
  const bytes = readFileSync(program);
  writeWhole(embedded, bytes.toString("base64"));
  writeWhole(stamp, `${hash}\n`);
  console.log(`build: ${program} (${compiler.name}, ${Math.ceil(bytes.length / 1024)} KiB)`);
  return { sha256: sha256Of(program), skipped: false };
}

function commandOf(compiler: CCompiler, name: NativeName, sources: readonly string[]): string[] {
  const flags = [...CODE, `-ffile-prefix-map=${process.cwd()}=.`, ...WARNINGS, "-I", `native/${name}`];
  return [compiler.command, ...flags, ...compiler.flags, ...compiler.before, ...sources, ...compiler.after, ...LINK];
}

function compile(command: readonly string[], program: string): void {
  mkdirSync("dist", { recursive: true });
  const temporary = `${program}.${process.pid}.tmp`;
  const { exitCode, stderr } = Bun.spawnSync([...command, "-o", temporary], { stdout: "inherit", stderr: "pipe" });
  if (exitCode !== 0) {
    rmSync(temporary, { force: true });
    throw new BuildError(`${program} does not compile:\n${stderr.toString().trimEnd()}`);
  }
  renameSync(temporary, program);
}

function sha256Of(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
