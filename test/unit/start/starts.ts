/** Starts to be remembered, made up: plans of many hosts, and reports of runs of theirs. */
import type { HostFacts } from "../../../src/run/host-facts.ts";
import { endCause } from "../../../src/run/plan/contract.ts";
import type { PlanInputs } from "../../../src/run/plan/draft.ts";
import { encodePlan } from "../../../src/run/plan/encode.ts";
import type { Plan, PlanOutcome } from "../../../src/run/plan/plan.ts";
import { plan } from "../../../src/run/plan/planner.ts";
import { guaranteesOf, planReady } from "../../../src/run/plan/ready.ts";
import { newReport, type Report } from "../../../src/run/report/report.ts";
import type { SandboxRequest } from "../../../src/run/request.ts";
import { zoneFilter } from "../../../src/run/seccomp/zone-filter.ts";
import { delegatedFacts, rootFacts, userFacts } from "../plan/inputs.ts";
import type { Random } from "../policy/random.ts";

const v2 = { path: "/sys/fs/cgroup/a", controllers: ["memory"] };

export const hosts: Readonly<Record<string, HostFacts>> = {
  "a user": userFacts,
  "a user with cgroups": delegatedFacts,
  "a user of both versions": { ...userFacts, cgroup: { v2, v1: { pids: "/sys/fs/cgroup/pids/b" }, reason: "" } },
  "root on version 1": rootFacts,
  "root on version 2": { ...rootFacts, cgroup: delegatedFacts.cgroup },
  "root of somebody's namespace": { ...userFacts, uid: 0, gid: 0, userName: "root" },
};

/** Names as a start draws them. */
export function namesFor(random: Random): Pick<SandboxRequest, "taskId" | "zoneId" | "commandHash"> {
  const digits = (count: number) => Array.from({ length: count }, () => random.int(0, 15).toString(16)).join("");
  return { taskId: `task_${digits(20)}`, zoneId: `zone_${digits(20)}`, commandHash: `sha256:${digits(64)}` };
}

/** The plan that a start makes: the one that is ready, or the planner's; with all of its guarantees. */
export async function planOf(inputs: PlanInputs): Promise<PlanOutcome> {
  const ready = planReady(inputs);
  if (ready !== undefined) return { ok: true, plan: { ...ready, guarantees: guaranteesOf(ready, inputs) } };
  const made = await zoneFilter(inputs.policy, inputs.facts, () => ({ problem: "none" }));
  return made.ok ? plan({ ...inputs, filter: made.filter }) : { ok: false, diagnostics: made.diagnostics };
}

/** As the launcher gets it. */
export function wire({ ops, pieces }: Plan): Uint8Array {
  return encodePlan(
    ops.map(({ op }) => op),
    pieces,
  );
}

const texts = ["", "hi\n", '"\\ \u0000\u0001\u001f\u007f\t\b', "\ufeffä€😀\u2028", "x".repeat(3000)];

/** A run of a plan that ended plainly. `missing`: control files that this kernel does not have. */
export function plainReport(plan: Plan, random: Random, missing: readonly string[]): Report {
  const createdAt = Date.UTC(2026, random.int(0, 11), 5) + random.int(0, 1e8);
  const startedAt = createdAt + random.int(0, 50);
  const endedAt = startedAt + random.int(0, 5000);
  const cleanedAt = endedAt + random.int(0, 3);
  const report = newReport(plan, createdAt);
  const bytes = (text: string) => new TextEncoder().encode(text);
  const [stdout, stderr] = [bytes(random.pick(texts)), bytes(random.pick(texts))];
  report.stdout.push(...inPieces(stdout, random));
  report.stderr.push(...inPieces(stderr, random));
  report.started = { record: "started", at: startedAt, pid: 4711 };
  report.ended = {
    record: "ended",
    at: endedAt,
    status: random.pick([0, 0, 1, 2, 77, 137, 255]) << 8,
    cause: endCause.none,
    user_us: random.int(0, 1e7),
    system_us: random.int(0, 1e7),
    max_rss_bytes: random.pick([0, 4096, 7, 1 << 30]),
    wall_us: random.int(0, 5e6),
    stdout_bytes: stdout.length,
    stderr_bytes: stderr.length,
    pids_peak: random.pick([0, 1, 31_009]),
    memory_peak: random.pick([0, 4096, 7, 2 ** 33]),
  };
  report.cleaned = { record: "cleaned", at: cleanedAt, errno: 0, detail: "" };
  report.finishedAt = cleanedAt + random.int(0, 2);
  report.verified = 63;
  plan.ops.forEach(({ op }, index) => {
    if (op.op !== "cgroup_collect") return;
    if (missing.includes(op.file)) {
      report.skipped.push({ record: "skipped", at: endedAt, op: index, errno: 2, step: "open" });
    } else report.collected.set(index, contentOf(op.file, random));
  });
  return report;
}

/** One character may come in two pieces. */
function inPieces(bytes: Uint8Array, random: Random): Uint8Array[] {
  if (bytes.length === 0) return [];
  const middle = random.int(0, bytes.length);
  return [bytes.subarray(0, middle), bytes.subarray(middle)];
}

function contentOf(file: string, random: Random): string {
  const number = random.pick([0, 1, 4096, 123_456_789, 2 ** 40]);
  if (file === "memory.events") return `low 0\nhigh ${number}\noom_kill 0\n`;
  if (file === "memory.oom_control") return `oom_kill_disable 0\nunder_oom 0\noom_kill 0\n`;
  if (file !== "io.stat") return `${number}\n`;
  const device = (name: string) => `${name} rbytes=${random.int(0, 1e9)} wbytes=${random.int(0, 1e9)} rios=3 wios=4\n`;
  return random.list(3, () => device(`8:${random.int(0, 64)}`)).join("");
}
