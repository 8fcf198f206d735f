/**
 * Builds dist/rauha: first the static launcher, the gateway, and the BPF programs with their loader, then the facts about this build,
 * then the executable that embeds all of them.
 * A step whose inputs are unchanged is skipped. Everything is written under a temporary name and renamed, so that a build that
 * fails, or two at once, leave no half-written file.
 *
 *   bun scripts/build.ts [--force]
 */
import { existsSync } from "node:fs";
import { buildBpf } from "./build/bpf.ts";
import { BuildError } from "./build/build-error.ts";
import { buildExecutable } from "./build/executable.ts";
import { writeBuildInfo } from "./build/info.ts";
import { buildNative } from "./build/native-program.ts";

const ENTRY = "src/cli/main.ts";

async function main(force: boolean): Promise<void> {
  process.chdir(`${import.meta.dir}/..`);
  buildBpf({ force });
  const launcher = await buildNative("launcher", { force });
  await buildNative("gateway", { force });
  const info = await writeBuildInfo(launcher.sha256);
  if (!existsSync(ENTRY)) throw new BuildError(`${ENTRY} is missing: there is no program to build yet`);
  const executable = await buildExecutable({ entry: ENTRY, outfile: "dist/rauha", force });
  console.log(
    `build: dist/rauha ${info.version} (${info.commit}) ${executable.skipped ? "is up to date" : "is built"}`,
  );
}

try {
  await main(process.argv.includes("--force"));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`build: ${error.message}`);
  process.exit(1);
}
