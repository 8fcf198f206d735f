/**
 * What each lock of a zone costs the work in it: the planner's own plan with one layer taken away, in turns with the whole zone, with work
 * outside, and with the least that the kernel's locks can be. As the user who calls it.
 *
 *   bun bench/layers.ts [digest|git] [ROUNDS]
 *
 * Processor time is that of the job alone, asked of the kernel beside it (`probe usage`), in the zone too: no start of a zone is in it.
 */
import { chmodSync, cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSandboxArgs } from "../src/cli/flags/sandbox.ts";
import { loadPolicy } from "../src/cli/policy-source.ts";
import { linuxBackend } from "../src/linux/backend.ts";
import type { PlanOp } from "../src/run/plan/contract.ts";
import { planWhole } from "../src/run/plan/whole.ts";
import { isRoot, launch } from "../test/native/launch.ts";
import { buildProbe } from "../test/support/build-probe.ts";
import { quantile, works } from "./work.ts";

type Ops = readonly PlanOp[];
type Way = readonly [name: string, run: () => Promise<number>];

const CLONE_NEWNET = 0x4000_0000;
const landlock = ["landlock", "landlock_path", "landlock_port"];
const limits = ["cgroup", "cgroup_set", "cgroup_sweep", "cgroup_collect", "watch_memory", "rlimit", "user_limit"];
/** BPF_RET | BPF_K, SECCOMP_RET_ALLOW */
const allowAll = new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]);

const [job = "digest", rounds = "25"] = process.argv.slice(2);
const programs = mkdtempSync(join(tmpdir(), "rauha-layers-"));
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "rauha-layers-"));
const probe = join(programs, "probe");
chmodSync(programs, 0o755);
cpSync(buildProbe(), probe);
try {
  const name = { digest: "open-heavy", git: "syscall-heavy" }[job];
  const work = works({ sources: programs }, folder).find((one) => name !== undefined && one.name.startsWith(name));
  if (work === undefined) throw new Error(`layers: there is no job ${job}: digest, git`);
  print(await measure(waysOf(work.command, await zoneOf(work.command)), Number(rounds)));
} finally {
  for (const made of [programs, folder]) rmSync(made, { recursive: true, force: true });
}

/** What `rauha sandbox` would do to run a command, from the first op to the last. */
async function zoneOf(command: readonly string[]): Promise<Ops> {
  const view = ["--repo", programs, "--repo-mode", "ro", "--rw-bind", folder];
  const parsed = parseSandboxArgs([...view, "--", probe, "usage", ...command], { cwd: "/" });
  const loaded = await loadPolicy("task", { cwd: "/" });
  if (!parsed.ok || !loaded.ok) throw new Error("layers: no request, or no policy");
  const names = { taskId: "task_layers", zoneId: `zone_layers_${process.pid}`, commandHash: "sha256:00" };
  const { policy } = loaded;
  const request = { ...parsed.invocation.request, ...names };
  const outcome = await planWhole({ request, policy, facts: linuxBackend.probe() }, linuxBackend.io);
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.diagnostics));
  return outcome.plan.ops.map(({ op }) => op);
}

function waysOf(command: readonly string[], zone: Ops): Way[] {
  // The self-test tries what the lock forbids that is taken away.
  const open = zone.filter(({ op }) => op !== "verify");
  const without = (names: readonly string[]): Ops => open.filter(({ op }) => !names.includes(op));
  const oneRule: PlanOp = { op: "landlock_path", path: "/", access: 0xffffn, flags: 0, except: [] };
  return [
    ["bare", outside(command)],
    ["bare, once more", outside(command)],
    ["seccomp: one instruction", outside([probe, "least-locked", "seccomp", ...command])],
    ["Landlock: one rule", outside([probe, "least-locked", "landlock", ...command])],
    ["both: the least lock", outside([probe, "least-locked", "both", ...command])],
    ["zone", inside(zone)],
    ["zone without its filter", inside(without(["seccomp"]))],
    ["zone, its filter one instruction", inside(open.map((op) => (op.op === "seccomp" ? allowing(op) : op)))],
    ["zone without Landlock", inside(without(landlock))],
    [
      "zone, its rules one",
      inside(without(["landlock_path"]).flatMap<PlanOp>((op) => (op.op === "landlock" ? [op, oneRule] : [op]))),
    ],
    ["zone without both", inside(without(["seccomp", ...landlock]))],
    ["zone without limits", inside(without(limits))],
    [
      "zone without network namespace",
      inside(without(["loopback"]).map((op) => (op.op === "namespaces" ? sharing(op) : op))),
    ],
  ];
}

function allowing(op: Extract<PlanOp, { op: "seccomp" }>): PlanOp {
  return { ...op, flags: 0, filter: allowAll };
}

function sharing(op: Extract<PlanOp, { op: "namespaces" }>): PlanOp {
  return { ...op, flags: op.flags & ~CLONE_NEWNET };
}

function outside(command: readonly string[]): Way[1] {
  return async () => {
    const { stdout } = Bun.spawnSync([probe, "usage", ...command], { cwd: "/", stdin: "ignore", stderr: "ignore" });
    return millisecondsOf(stdout.toString());
  };
}

function inside(ops: Ops): Way[1] {
  return async () => {
    const run = await launch(ops, { runner: isRoot ? "root" : "user" });
    return millisecondsOf(run.output(1) || `${run.output(2)}${run.errors}`);
  };
}

function millisecondsOf(said: string): number {
  const found = /\bexit=0\b.*\bcpu_us=(\d+)/.exec(said);
  if (found === null) throw new Error(`layers: the job failed: ${said}`);
  return Number(found[1]) / 1000;
}

/** The times of each way, in turns whose order is drawn anew. The first turn warms. */
async function measure(ways: readonly Way[], turns: number): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>(ways.map(([name]) => [name, []]));
  for (let turn = 0; turn <= turns; turn++) {
    for (const [name, run] of ways.toSorted(() => Math.random() - 0.5)) {
      const ms = await run();
      if (turn > 0) times.get(name)?.push(ms);
    }
  }
  return times;
}

function print(times: ReadonlyMap<string, readonly number[]>): void {
  const shares = [0.5, 0.25, 0];
  const bare = shares.map((share) => quantile(times.get("bare") ?? [], share));
  console.log("processor time, ms".padEnd(34), "median  / bare   1st quartile  / bare   quickest  / bare");
  for (const [name, list] of times) {
    const cells = shares.map((share, at) => {
      const ms = quantile(list, share);
      return `${ms.toFixed(1).padStart(6)}  ${(ms / (bare[at] ?? Number.NaN)).toFixed(3)}`;
    });
    console.log(name.padEnd(34), cells.join("         "));
  }
}
