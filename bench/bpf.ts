/**
 * What the BPF programs cost a zone's work, and a host's: the same jobs with the programs and without, in turns, on a kernel that takes them.
 *
 *   bun scripts/rig.ts run -- bun bench/bpf.ts [ROUNDS [RUNS]]
 *
 * In each round RUNS of every job without the programs and as many with them; 3 and 3 unless told. As root. Prints
 * medians and the fastest, and their ratios: the rig is emulated, so that only ratios mean something, and where the machine is busy with other
 * work that of the fastest means more.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildProbe } from "../test/support/build-probe.ts";

const RAUHA = "dist/rauha";
const [rounds = 3, runs = 3] = process.argv.slice(2).map(Number);
const probe = buildProbe();
const folder = mkdtempSync("/var/tmp/rauha-bench-");

/** Opens and closes a file again and again, and does nothing else: the worst case for a hook on opening. */
const openLoop = `#include <fcntl.h>
#include <unistd.h>
int main(void) { for (int i = 0; i < 100000; i++) close(open("/etc/hostname", O_RDONLY | O_CLOEXEC)); return 0; }`;

function build(): string {
  const program = join(folder, "open-loop");
  const cc = Bun.spawnSync(["gcc", "-O1", "-static", "-xc", "-", "-o", program], { stdin: Buffer.from(openLoop) });
  if (cc.exitCode !== 0) throw new Error(cc.stderr.toString());
  return program;
}

const loop = build();
const search =
  "for i in 1 2 3; do grep -rlq no-such-word-anywhere /usr/include /usr/share/perl5 /usr/lib/python3; done; true";
const jobs: Readonly<Record<string, readonly string[]>> = {
  "open and close, nothing else": ["/open-loop"],
  "open-heavy": ["sh", "-c", search],
  "syscall-heavy": ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=300000", "status=none"],
  "start of `true`": ["true"],
};

function inZone(name: string, command: readonly string[]): number {
  const began = performance.now();
  const binds = ["--ro-bind", `${loop}:/open-loop`, "--ro-bind", `${probe}:/probe`];
  const child = Bun.spawnSync([RAUHA, "sandbox", "--json", ...binds, "--", ...command]);
  const result = JSON.parse(child.stdout.toString()) as { status: string; duration_ms: number };
  if (result.status !== "succeeded") throw new Error(`${name}: ${child.stdout}`);
  return name.startsWith("start") ? performance.now() - began : result.duration_ms;
}

/** The same outside of every zone. */
function onHost(command: readonly string[]): number {
  const began = performance.now();
  Bun.spawnSync(command.map((word) => (word === "/open-loop" ? loop : word)));
  return performance.now() - began;
}

function setup(...words: readonly string[]): void {
  const child = Bun.spawnSync([RAUHA, "setup", ...words]);
  if (child.exitCode !== 0) throw new Error(child.stderr.toString());
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const times = new Map<string, { off: number[]; on: number[] }>();

function measure(state: "off" | "on"): void {
  for (let run = 0; run < runs; run++)
    for (const [name, command] of Object.entries(jobs)) {
      note(`in a zone: ${name}`, state, inZone(name, command));
      if (!name.startsWith("start")) note(`outside: ${name}`, state, onHost(command));
    }
}

function note(name: string, state: "off" | "on", ms: number): void {
  const row = times.get(name) ?? { off: [], on: [] };
  row[state].push(ms);
  times.set(name, row);
}

/** After each round, since a guest may be ended before all are done: the last table counts. */
function print(round: number): void {
  console.log(`after ${round + 1} of ${rounds} rounds, ms without and with the programs, ratio: medians; fastest`);
  for (const [name, { off, on }] of times) {
    const columns = [median, (values: readonly number[]) => Math.min(...values)].map((of) => {
      const [without, having] = [of(off), of(on)];
      return `${without.toFixed(0).padStart(6)} ${having.toFixed(0).padStart(6)} ${(having / without).toFixed(2)}`;
    });
    console.log(`${name.padEnd(42)} ${columns.join("   ")}`);
  }
}

try {
  // What the jobs read is in memory from here on.
  measure("off");
  times.clear();
  for (let round = 0; round < rounds; round++) {
    measure("off");
    setup();
    measure("on");
    setup("--remove");
    print(round);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
