/**
 * The map of the program. `rauha sandbox` is the hot path: it loads the flag table, the planner and the platform's backend
 * and nothing else. Every other command is found through the command tree, which loads what it needs.
 */
import type { Backend } from "../run/backend.ts";
import { runSandbox } from "./sandbox.ts";
import { oneLine } from "./words.ts";

/** The platform's backend; the only place of the command line that names one. */
async function loadBackend(): Promise<Backend> {
  if (process.platform === "linux") return (await import("../linux/backend.ts")).linuxBackend;
  throw new Error(`rauha has no backend for ${process.platform} in this build`);
}

async function main(argv: readonly string[]): Promise<number> {
  const backend = await loadBackend();
  if (argv[0] === "sandbox") return runSandbox(argv.slice(1), backend);
  // What the executable was built to put off (scripts/build/executable.ts) pays in commands that walk trees and parse files.
  Bun.unsafe.setJITPolicy(1);
  if (argv[0] === "unpack-layer") return (await import("../linux/unpack-layer.ts")).unpackCommand(argv.slice(1));
  const { runCommandTree } = await import("./commands.ts");
  const write = (fd: number, text: string) => {
    backend.io.write(fd, new TextEncoder().encode(text));
  };
  return runCommandTree(argv, {
    write,
    backend: async () => backend,
    env: process.env,
    cwd: process.cwd(),
    isTerminal: backend.io.isTerminal,
  });
}

/** A mistake of Rauha's own is said in words, never as a stack trace. */
function crash(error: unknown): number {
  console.error(`rauha: internal error: ${oneLine(String(error))}`);
  return 125;
}

process.exit(await main(process.argv.slice(2)).catch(crash));
