/**
 * Compiles native/launcher into one static program, and into base64 text that the executable embeds (reading an embedded text
 * is 2 ms quicker than an embedded file, and the text goes to a memfd as it is decoded).
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { BuildError } from "./build-error.ts";
import { type CCompiler, findCCompiler } from "./c-compiler.ts";
import { filesOf, hashInputs, isFresh, writeWhole } from "./stamp.ts";

const SOURCES = "native/launcher/*.c";
const PROGRAM = "dist/launcher";
const EMBEDDED = "build/launcher.b64.txt";
const STAMP = "build/launcher.stamp";

const WARNINGS = [
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

export interface Launcher {
  readonly sha256: string;
  readonly skipped: boolean;
}

/** Builds dist/launcher and build/launcher.b64.txt when their sources, the compiler or the flags changed. */
export async function buildLauncher(options: { readonly force: boolean }): Promise<Launcher> {
  const sources = filesOf([SOURCES]);
  if (sources.length === 0) throw new BuildError(`${SOURCES} matches nothing: there is no launcher to compile yet`);
  const compiler = findCCompiler();
  const command = commandOf(compiler, sources);
  const hash = hashInputs(filesOf(["native/launcher/*.{c,h}"]), [compiler.version, ...command]);
  if (!options.force && isFresh(STAMP, hash, [PROGRAM, EMBEDDED])) {
    return { sha256: sha256Of(PROGRAM), skipped: true };
  }
  compile(command);
  const program = readFileSync(PROGRAM);
  writeWhole(EMBEDDED, program.toString("base64"));
  writeWhole(STAMP, `${hash}\n`);
  console.log(`build: ${PROGRAM} (${compiler.name}, ${Math.ceil(program.length / 1024)} KiB)`);
  return { sha256: sha256Of(PROGRAM), skipped: false };
}

function commandOf(compiler: CCompiler, sources: readonly string[]): string[] {
  const flags = [...CODE, `-ffile-prefix-map=${process.cwd()}=.`, ...WARNINGS, "-I", "native/launcher"];
  return [compiler.command, ...flags, ...compiler.flags, ...compiler.before, ...sources, ...compiler.after, ...LINK];
}

function compile(command: readonly string[]): void {
  mkdirSync("dist", { recursive: true });
  const temporary = `${PROGRAM}.${process.pid}.tmp`;
  const { exitCode, stderr } = Bun.spawnSync([...command, "-o", temporary], { stdout: "inherit", stderr: "pipe" });
  if (exitCode !== 0) {
    rmSync(temporary, { force: true });
    throw new BuildError(`the launcher does not compile:\n${stderr.toString().trimEnd()}`);
  }
  renameSync(temporary, PROGRAM);
}

function sha256Of(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
