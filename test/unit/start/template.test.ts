/** A template made of one run, filled with the values of another, is that other run's result, byte for byte. */
import { describe, expect, test } from "bun:test";
import { verdictOf } from "../../../src/run/report/verdict.ts";
import { projectResult } from "../../../src/run/result/project.ts";
import { resultSchema } from "../../../src/run/result/schema.ts";
import { collectedFiles } from "../../../src/run/start/collected.ts";
import { collectedAs, resultHole } from "../../../src/run/start/contract.ts";
import { fillTemplate, holeValues } from "../../../src/run/start/fill.ts";
import { resultTemplate } from "../../../src/run/start/template.ts";
import { inputs, policyWith } from "../plan/inputs.ts";
import { toolImage as image } from "../plan/tool-image.ts";
import { Random } from "../policy/random.ts";
import { hosts, namesFor, plainReport, planOf } from "./starts.ts";

const files = [
  "memory.peak",
  "memory.events",
  "pids.peak",
  "io.stat",
  "memory.max_usage_in_bytes",
  "memory.oom_control",
];
const commands = [["true"], ["sh", "-c", 'echo "ä"\n', "", "\u0001\u007f"], ['"77"', "\\"]];

async function runOf(random: Random, host: string, given: { readonly withImage: boolean; readonly policy: string }) {
  const before = given.withImage ? ["/entry", '"duration_ms":11017,'] : [];
  const command = [...before, ...random.pick(commands)];
  const request = { ...namesFor(random), command, image: given.withImage ? image : undefined };
  const facts = hosts[host];
  if (facts === undefined) throw new Error(host);
  const outcome = await planOf({
    ...inputs({ request, policy: policyWith({}, given.policy), facts }),
    filter: undefined,
  });
  if (!outcome.ok) throw new Error(outcome.diagnostics[0]?.message);
  return { plan: outcome.plan, entrypoint: before.length };
}

describe.each(Object.keys(hosts))("runs of %s", (host) => {
  test.each(["task", "strict"])("under %s", async (policy) => {
    const random = new Random(host.length + policy.length);
    for (let round = 0; round < 24; round++) {
      const missing = random.some(files, 0.3);
      const given = { withImage: random.chance(0.5), policy };
      const one = await runOf(random, host, given);
      const made = plainReport(one.plan, random, missing);
      const templates = [false, true].map((good) => resultTemplate(made, one.entrypoint, good));
      for (let run = 0; run < 4; run++) {
        const { plan, entrypoint } = await runOf(random, host, given);
        const report = plainReport(plan, random, missing);
        const template = templates[Number(report.ended?.status === 0)];
        if (template === undefined) throw new Error("there is no template");
        const result = projectResult(report, verdictOf(report));
        const filled = new TextDecoder("utf-8", { ignoreBOM: true }).decode(
          fillTemplate(template, holeValues(report, entrypoint)),
        );
        expect(filled).toBe(`${JSON.stringify(result)}\n`);
        resultSchema.parse(JSON.parse(filled));
      }
    }
  });
});

test("holes come in ascending order, and each kind is there", async () => {
  const { plan, entrypoint } = await runOf(new Random(1), "a user with cgroups", { withImage: true, policy: "task" });
  const template = resultTemplate(plainReport(plan, new Random(2), []), entrypoint, false);
  const places = template?.holes.map(({ place }) => place) ?? [];
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  const kinds = new Set(template?.holes.map(({ hole }) => hole));
  const others: number[] = [resultHole.memoryWatched, resultHole.pidsCounted];
  expect([...kinds].sort((a, b) => a - b)).toEqual(Object.values(resultHole).filter((hole) => !others.includes(hole)));
});

test("a plan whose promises name their own zone has no template", async () => {
  const { plan, entrypoint } = await runOf(new Random(1), "a user", { withImage: false, policy: "task" });
  const named = { name: "scope", state: "enforced", mechanism: `of ${plan.zoneId}`, ops: [] } as const;
  const report = plainReport({ ...plan, guarantees: [...plan.guarantees, named] }, new Random(1), []);
  expect(resultTemplate(report, entrypoint, true)).toBeUndefined();
  expect(resultTemplate({ ...report, plan }, entrypoint, true)).toBeDefined();
});

test("of two files that say the same, the result takes one; of one that is missing, nothing", async () => {
  const { plan } = await runOf(new Random(1), "a user of both versions", { withImage: false, policy: "task" });
  const role = (missing: readonly string[]) => {
    const report = plainReport(plan, new Random(1), missing);
    return collectedFiles(report).map(({ op, as }) => {
      const collect = plan.ops[op]?.op;
      return [collect?.op === "cgroup_collect" ? collect.file : "", as];
    });
  };
  const { memoryPeak, oomKills, pidsPeak, ioTotals, ignored } = collectedAs;
  expect(role([])).toEqual([
    ["memory.peak", memoryPeak],
    ["memory.events", oomKills],
    ["pids.peak", pidsPeak],
    ["io.stat", ioTotals],
    ["pids.peak", ignored],
  ]);
  expect(role(["memory.peak", "io.stat"])).toEqual([
    ["memory.events", oomKills],
    ["pids.peak", pidsPeak],
    ["pids.peak", ignored],
  ]);
});
