import { statSync } from "node:fs";
import { resolve } from "node:path";
import { StackedLayers } from "../../image/rootfs/stacked.ts";
import type { Backend } from "../../run/backend.ts";
import type { Diagnostic } from "../../run/diagnostic.ts";
import type { HostFacts } from "../../run/host-facts.ts";
import { type HostKind, type Needs, needsOf } from "../../run/learn/needs.ts";
import { watchedCalls } from "../../run/learn/watched.ts";
import { countNeeds, merged, writePolicy } from "../../run/learn/write-policy.ts";
import type { Plan } from "../../run/plan/plan.ts";
import { parsePolicy } from "../../run/policy/parse.ts";
import { type Policy, policyOrigin } from "../../run/policy/policy.ts";
import { shippedPolicies } from "../../run/policy/shipped.gen.ts";
import { errorOf } from "../../run/report/errors.ts";
import type { Report } from "../../run/report/report.ts";
import { verdictOf } from "../../run/report/verdict.ts";
import type { SandboxRequest } from "../../run/request.ts";
import { compileZoneFilter } from "../../run/seccomp/zone-compile.ts";
import type { GivenFlags } from "../flags/given.ts";
import { readSandboxFlags, type SandboxInvocation } from "../flags/sandbox.ts";
import type { sandboxFlags } from "../flags/sandbox-table.ts";
import { commandHash, newId } from "../ids.ts";
import { loadPolicy } from "../policy-source.ts";
import type { Ports } from "../ports.ts";
import { openParts } from "../run-parts.ts";
import { concludeParts, runZone } from "../run-zone.ts";
import { collectSignals } from "../signals.ts";
import { renderDiagnostics, styleFor } from "../words.ts";
import { answerJson, refuse } from "./answer.ts";
import { command } from "./command.ts";

const profileBytes = 4 << 20;

/** `rauha policy learn`: the command's runs, and the policy that they come to. */
export const policyLearn = command(async ({ given, operands, json, ports }) => {
  const flags = given as unknown as GivenFlags<typeof sandboxFlags>;
  const parsed = readSandboxFlags(flags, operands);
  if (!parsed.ok) return refuse(ports, parsed.diagnostics, json);
  const { invocation } = parsed;
  const loaded = await loadPolicy(invocation.policyName, { cwd: ports.cwd });
  if (!loaded.ok) return refuse(ports, loaded.diagnostics, json);
  const base = loaded.policy;
  const isShipped = Object.hasOwn(shippedPolicies, invocation.policyName);
  const name = isShipped ? invocation.policyName : resolve(ports.cwd, invocation.policyName);
  const backend = await ports.backend();
  const zone = { backend, facts: backend.probe(), invocation, ports };
  const rounds = Number(given.one("rounds") ?? 1);
  let policy = base;
  let granted: Needs["keys"] = new Map();
  for (let runs = 1; ; runs++) {
    const report = await learnOnce(zone, policy);
    if (!("plan" in report)) return refuse(ports, report, json);
    const verdict = verdictOf(report);
    const problem = report.started === null && verdict.rauhaExitCode === 125 ? errorOf(report) : null;
    if (problem !== null) return refuse(ports, [{ code: problem.code, message: problem.message } as Diagnostic], json);
    const image = await imageOf(backend, report.plan);
    const needs = needsOf(report, hostKind, image);
    image?.close();
    const passed = verdict.rauhaExitCode === 0;
    const lesson = { extends: name, base, needs, passed, granted, runs, exitCode: verdict.rauhaExitCode };
    const next = merged(granted, needs.keys);
    const isLast = passed || runs >= rounds || countNeeds(next) === countNeeds(granted);
    if (isLast) {
      const text = writePolicy(lesson);
      if (json) answerJson(ports, { policy: text, passed, runs, exit_code: verdict.rauhaExitCode });
      else ports.write(1, text);
      ports.write(2, summary(lesson));
      return verdict.rauhaExitCode;
    }
    granted = next;
    const outcome = parsePolicy(writePolicy({ ...lesson, granted }), {
      file: "learned.toml",
      directory: ports.cwd,
      shipped: isShipped ? shippedPolicies : { ...shippedPolicies, [name]: base },
      sha256: (bytes) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex"),
      loadExtends: () => ({ ok: false, message: `${name} can't be read again` }),
    });
    if (!outcome.ok) return refuse(ports, outcome.diagnostics, json);
    policy = outcome.policy;
  }
});

interface LearningZone {
  readonly backend: Backend;
  readonly facts: HostFacts;
  readonly invocation: SandboxInvocation;
  readonly ports: Ports;
}

/** One run in a fresh zone, or why there was none. Nothing of a copy-on-write workspace is kept. */
async function learnOnce(zone: LearningZone, policy: Policy): Promise<Report | readonly Diagnostic[]> {
  const { backend, facts, invocation, ports } = zone;
  const { deny, allow, profile } = policy.syscalls;
  const { arch, kernel } = facts;
  const filter = await compileZoneFilter(
    profile,
    {
      arch,
      kernel,
      capabilities: policy.capabilities.allowed,
      deny,
      allow,
      origin: (key) => policyOrigin(policy, key),
    },
    (path) => backend.io.readText(path, profileBytes),
    (allowed) => watchedCalls(arch, allowed),
  );
  if (!filter.ok) return filter.diagnostics;
  const { request: wanted } = invocation;
  const request: SandboxRequest = {
    ...wanted,
    taskId: newId("task", backend.io),
    zoneId: newId("zone", backend.io),
    commandHash: commandHash(wanted.command),
    io: { ...wanted.io, mode: "capture", stdin: wanted.io.stdin || !ports.isTerminal(0) },
  };
  const inputs = { request, policy, facts, filter: filter.filter };
  const opened = await openParts(backend, inputs, { image: invocation.image, explain: false, onSuccess: "discard" });
  if (!opened.ok) return opened.diagnostics;
  const { parts } = opened;
  const run = await runZone(backend, {
    ...opened,
    signals: collectSignals(),
    startedAt: Date.now(),
    output: (_stream, data) => {
      backend.io.write(2, data);
    },
    warn: () => {},
  }).finally(async () => {
    for (const part of parts.toReversed()) await part.undo?.();
  });
  if (!run.ok) return run.diagnostics;
  const { warnings } = concludeParts(parts, run.report, verdictOf(run.report));
  ports.write(2, renderDiagnostics(warnings, styleFor(ports.isTerminal(2), ports.env), "warning"));
  return run.report;
}

/** The files of the image that was the root of a run. This process keeps its layers from being removed. */
async function imageOf(backend: Backend, { ops }: Plan): Promise<StackedLayers | undefined> {
  const layers = ops.flatMap(({ op }) => (op.op === "layer" ? [{ tree: op.source, hidesAll: false }] : []));
  return layers.length === 0 ? undefined : new StackedLayers(await backend.trees(), layers);
}

/** What a path is on the host, as far as the caller may know. */
function hostKind(path: string): HostKind {
  try {
    const status = statSync(path);
    if (status.isDirectory()) return "directory";
    if (status.isSocket()) return "socket";
    return status.isCharacterDevice() || status.isBlockDevice() ? "device" : "file";
  } catch {
    return null;
  }
}

function summary({ needs, passed, granted, runs, exitCode }: Parameters<typeof writePolicy>[0]): string {
  const ran = runs === 1 ? "1 run" : `${runs} runs`;
  const refused = countNeeds(needs.keys);
  const got = countNeeds(granted);
  const grants = got === 0 ? "with the policy as it is" : `with ${got} grant${got === 1 ? "" : "s"} more`;
  if (passed) return `rauha: ${ran}: passed ${grants}; ${refused} refused and not needed\n`;
  const again =
    refused > 0
      ? "; run again under it to see whether it is enough (--rounds)"
      : "; nothing that a policy gives was refused";
  return `rauha: ${ran}: exit code ${exitCode}; ${refused} refused, see the policy on stdout${again}\n`;
}
