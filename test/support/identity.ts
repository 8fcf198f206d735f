/** Who runs the tests, and on what: what the host can do decides which mechanism is expected, never whether a promise holds. */

import { test } from "bun:test";
import { existsSync } from "node:fs";
import { release } from "node:os";

export const isRoot = process.getuid?.() === 0;
export const uid = process.getuid?.() ?? -1;
export const gid = process.getgid?.() ?? -1;

/** Inside the rig's VM: cgroup v2 with all controllers, an emulated processor, no compiler. */
export const inVm = process.env["RAUHA_TEST_VM"] === "1";

/** The BPF programs are set up here, and guard root's zones: a mechanism more. The rig runs the suites once so. */
export const isPinned = process.env["RAUHA_TEST_PINNED"] === "1";

/** How many times slower than a plain machine this one is; the rig says 1 for an emulated processor, anyone else how many times. */
const slowness = inVm ? 8 : Number(process.env["RAUHA_TEST_SLOW"] ?? 1);

/** A time that is long enough here. For limits that guard a test; never for what is measured. */
export function patient(ms: number): number {
  return ms * slowness;
}

/**
 * `test`, if the machine has what the test needs; else a skip whose name says what is missing, which has to stand in
 * test/expected-skips.json.
 */
export function needs(what: string, holds: boolean): typeof test {
  const run = holds ? test : test.skip;
  const named = (name: string, body: () => unknown, ms?: number): void =>
    run(`${name} [needs ${what}]`, body as () => void, ms);
  return named as unknown as typeof test;
}

/** A program of the host's by name. */
export function hasProgram(name: string): boolean {
  return Bun.which(name) !== null;
}

/** The system calls of a test that only runs where a program can be traced. */
export const canTrace = isRoot && hasProgram("strace");

/** Control groups that a zone of this user's can be put into. */
export const hasMemoryCgroup = inVm || (isRoot && existsSync("/sys/fs/cgroup"));

/** For what a later kernel brought: its calls, and rights of Landlock's. */
export function kernelIsAtLeast(major: number, minor: number): boolean {
  const [ours = 0, its = 0] = release().split(".").map(Number.parseFloat);
  return ours > major || (ours === major && its >= minor);
}
