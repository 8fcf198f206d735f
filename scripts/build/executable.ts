/** Compiles the TypeScript program and the Bun runtime into one executable. */
import { mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BuildError } from "./build-error.ts";
import { addFront, FRONT_INPUTS, takesFront } from "./front.ts";
import { bundleHotPath, PARTS } from "./hot-bundle.ts";
import { filesOf, hashInputs, isFresh, writeWhole } from "./stamp.ts";

/**
 * What keeps the working directory's files out of the program. Rauha runs in directories that it must not trust: a `bunfig.toml`
 * there could preload code into it, outside any zone, and a `.env` could change its environment.
 */
export const NO_AUTOLOAD = [
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--no-compile-autoload-tsconfig",
  "--no-compile-autoload-package-json",
] as const;

/**
 * The programs that the executable starts with stay in the interpreter this many times longer than Bun's own do: a run of
 * `rauha sandbox` calls each of its functions a few dozen times at most, and compiling them costs more than it ever gives back
 * (docs/adr/0005). A loop over a large tree or many records still gets compiled, a moment later; commands other than `sandbox` set the
 * policy back to 1 (src/cli/main.ts).
 */
const JIT_POLICY = 100;

/**
 * `--splitting` keeps what is imported dynamically in chunks of its own. Without it the bundle is one module, and the static
 * imports of everything in it (`fs`, `path`, `util`, for commands that are not even called) are loaded at every start.
 */
export const COMPILE_FLAGS = [
  "--compile",
  "--splitting",
  "--minify",
  "--bytecode",
  `--compile-jit-policy=${JIT_POLICY}`,
  "--format=esm",
  "--target=bun",
  "--sourcemap=none",
  "--reject-unresolved",
  "--env=disable",
  "--define",
  'process.env.NODE_ENV="production"',
  ...NO_AUTOLOAD,
] as const;

/** The hot path, bundled: what is compiled in the entry's place. */
const HOT = "build/hot.js";

const INPUTS = [
  "scripts/build/hot-bundle.ts",
  "src/**/*",
  "policies/**/*",
  "build/build-info.json",
  "build/launcher.b64.txt",
  "build/bpf-loader.b64.txt",
  "build/gateway.b64.txt",
  ...FRONT_INPUTS,
  "package.json",
  "bun.lock",
  "tsconfig.json",
];

export interface ExecutableOptions {
  readonly entry: string;
  readonly outfile: string;
  readonly force: boolean;
}

/** Compiles `entry` to `outfile`, unless the inputs are those of the last time. */
export async function buildExecutable(options: ExecutableOptions): Promise<{ readonly skipped: boolean }> {
  const stamp = "build/executable.stamp";
  const hash = hashInputs(filesOf(INPUTS), [Bun.version, Bun.revision, ...COMPILE_FLAGS, options.entry]);
  if (!options.force && isFresh(stamp, hash, [options.outfile])) return { skipped: true };
  writeWhole(HOT, (await bundleHotPath(options.entry, dirname(HOT))).code);
  for (const [entry, name] of Object.entries(PARTS))
    writeWhole(join(dirname(HOT), name), (await bundleHotPath(entry, dirname(HOT))).code);
  const buildId = hash.slice(0, 16);
  if (takesFront(process.execPath)) {
    const define = ["--define", `RAUHA_BUILD_ID=${JSON.stringify(buildId)}`];
    compileExecutable(HOT, options.outfile, define, (file) => addFront(file, buildId));
  } else {
    console.log("build: this runtime can't have the native front (docs/adr/0007): every start is planned");
    compileExecutable(HOT, options.outfile);
  }
  writeWhole(stamp, `${hash}\n`);
  const megabytes = Math.round(statSync(options.outfile).size / 1e6);
  console.log(`build: ${options.outfile} (bun ${Bun.version}, ${megabytes} MB)`);
  return { skipped: false };
}

/**
 * One call of the compiler, in a directory of its own first: the name of the output is part of the output. `finish` works on the file
 * before it gets its name.
 */
export function compileExecutable(
  entry: string,
  outfile: string,
  flags: readonly string[] = [],
  finish: (file: string) => void = () => {},
): void {
  const work = `${dirname(outfile)}/.build-${process.pid}`;
  const temporary = `${work}/${basename(outfile)}`;
  mkdirSync(work, { recursive: true });
  try {
    const command = [process.execPath, "build", ...COMPILE_FLAGS, ...flags, entry, "--outfile", temporary];
    const { exitCode, stdout, stderr } = Bun.spawnSync(command, { stdout: "pipe", stderr: "pipe" });
    if (exitCode !== 0) throw new BuildError(`${entry} does not compile:\n${`${stdout}${stderr}`.trimEnd()}`);
    finish(temporary);
    renameSync(temporary, outfile);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
