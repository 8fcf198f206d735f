/** Programs of other projects that tests run: what they say is shown when they fail. */
import { existsSync } from "node:fs";

const beside = new URL("../../build/tools/", import.meta.url).pathname;

/** Runs a program to its end; gives what it wrote to standard output. */
export async function tool(
  argv: readonly string[],
  more: { cwd?: string; stdin?: string; env?: Record<string, string> } = {},
) {
  const [name = "", ...rest] = argv;
  const child = Bun.spawn([toolPath(name), ...rest], {
    cwd: more.cwd ?? "/",
    env: { ...process.env, ...more.env },
    stdio: [more.stdin === undefined ? "ignore" : new TextEncoder().encode(more.stdin), "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (child.exitCode !== 0) throw new Error(`${argv.join(" ")}: exit code ${child.exitCode}\n${stdout}${stderr}`);
  return stdout;
}

/** Where a program is: in PATH, or among those that scripts/bootstrap.sh unpacked without installing. */
export function toolPath(name: string): string {
  const unpacked = `${beside}${name}`;
  const found = existsSync(unpacked) ? unpacked : Bun.which(name, { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` });
  if (found === null) throw new Error(`${name} is missing: scripts/bootstrap.sh test`);
  return found;
}
