/**
 * Builds the probe, once for a state of its sources. It is built like the launcher but has its own stamp, so that a checkout that was built
 * elsewhere is used as it is where there is no compiler.
 */
import { renameSync, rmSync } from "node:fs";
import { findCCompiler } from "../../scripts/build/c-compiler.ts";
import { filesOf, hashInputs, isFresh, writeWhole } from "../../scripts/build/stamp.ts";

const root = `${import.meta.dir}/../..`;
const PROGRAM = "build/test-probe";
const STAMP = "build/test-probe.stamp";
const FLAGS = ["-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wstrict-prototypes", "-s"];

/** The path of the program, compiled when its sources changed. */
export function buildProbe(): string {
  const here = process.cwd();
  process.chdir(root);
  try {
    const hash = hashInputs(filesOf(["test/probe/*.{c,h}"]), FLAGS);
    if (!isFresh(STAMP, hash, [PROGRAM])) {
      compile();
      writeWhole(STAMP, `${hash}\n`);
    }
    return `${process.cwd()}/${PROGRAM}`;
  } finally {
    process.chdir(here);
  }
}

function compile(): void {
  const { command, flags, before, after } = findCCompiler();
  const temporary = `${PROGRAM}.${process.pid}.tmp`;
  const words = [command, ...FLAGS, ...flags, ...before, ...filesOf(["test/probe/*.c"]), ...after, "-o", temporary];
  const { exitCode, stderr } = Bun.spawnSync(words, { stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) {
    rmSync(temporary, { force: true });
    throw new Error(`the probe does not compile:\n${stderr.toString()}`);
  }
  renameSync(temporary, PROGRAM);
}

if (import.meta.main) console.log(buildProbe());
