/** A state directory that fills up at each step of making a layer: the run is refused with the step, and nothing half-made stays. */
import { expect } from "bun:test";
import { mkdirSync } from "node:fs";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { isRoot, needs } from "../support/identity.ts";

const program = process.env["RAUHA_BIN"] ?? new URL("../../dist/rauha", import.meta.url).pathname;
const withMounts = needs("root, to mount a small file system", isRoot);

/** A run whose state lies on a file system with room for so many inodes; and what is there after it. */
function runIn(inodes: number) {
  const [repo, state] = [writeFiles(makeFolder("room"), { a: "a\n" }), `${makeFolder("small")}/state`];
  mkdirSync(state);
  const script = `mount -t tmpfs -o nr_inodes=${inodes} none "$1" || exit 99
    "$0" sandbox --no-json --repo-path "$2" -- cat a; code=$?; find "$1" -path '*/tasks/*' >&2; exit $code`;
  const words = ["unshare", "-m", "sh", "-c", script, program, state, repo];
  const { exitCode, stdout, stderr } = Bun.spawnSync(words, { env: { ...process.env, XDG_STATE_HOME: state } });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString(), state };
}

withMounts("is refused at the step that finds no room, whatever step that is", () => {
  const steps: string[] = [];
  for (let inodes = 3; inodes < 9; inodes++) {
    const { exitCode, stderr, state } = runIn(inodes);
    expect(stderr).not.toContain(`${state}/rauha/tasks/`);
    if (exitCode === 0) break;
    expect(exitCode).toBe(125);
    steps.push(/: ((mkdir|create) [^:]*): no space left/.exec(stderr)?.[1] ?? stderr);
  }
  expect(new Set(steps).size).toBe(steps.length);
  expect(steps.slice(-3)).toEqual(["mkdir upper", "mkdir work", "create task.json"]);
});

withMounts(
  "with room for the layer alone, the kernel's own files find none: a copy is made, or the run refused",
  () => {
    const { exitCode, stdout, stderr, state } = runIn(10);
    expect([exitCode, stdout]).toEqual(exitCode === 0 ? [0, "a\n"] : [125, ""]);
    expect(stderr).not.toContain(`${state}/rauha/tasks/`);
  },
);
