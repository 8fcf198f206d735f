/** `--explain`: all of the plan, and every entry of a list that the zone is held to. */
import { describe, expect, test } from "bun:test";
import { renderOrigin } from "../../../src/run/diagnostic.ts";
import type { WholeInputs } from "../../../src/run/plan/draft.ts";
import { explainPlan, explainPlanData } from "../../../src/run/plan/explain.ts";
import { explainRules } from "../../../src/run/plan/explain-rules.ts";
import type { Plan } from "../../../src/run/plan/plan.ts";
import { plan as planZone } from "../../../src/run/plan/planner.ts";
import { Random } from "../policy/random.ts";
import { policyOf } from "../policy/reading.ts";
import { inputs, policyWith } from "./inputs.ts";
import { randomInputs } from "./random-inputs.ts";

const made: { readonly inputs: WholeInputs; readonly plan: Plan }[] = [];
for (let seed = 1; made.length < 100; seed++) {
  const given = randomInputs(new Random(seed));
  const outcome = planZone(given);
  if (outcome.ok) made.push({ inputs: given, plan: outcome.plan });
}

/** What stands under a heading. */
function section(lines: readonly string[], heading: string): string[] {
  const from = lines.indexOf(heading) + 1;
  return from === 0 ? [] : lines.slice(from, lines.indexOf("", from));
}

describe("in words", () => {
  test("each op in the plan's order, with its purpose and its origin", () => {
    for (const { plan } of made) {
      const lines = section(explainPlan(plan, []).split("\n"), "what happens, in this order:");
      expect(lines.length).toBe(plan.ops.length);
      plan.ops.forEach(({ op, intent, origin }, index) => {
        const line = lines[index] ?? "";
        expect(line.trim().split(" ")[0]).toBe(op.op);
        expect(line).toContain(intent);
        expect(line).toEndWith(renderOrigin(origin));
      });
    }
  });

  test("each promise, with its state and its mechanism, and each warning", () => {
    for (const { plan } of made) {
      const all = `${explainPlan(plan, [])}\n`.split("\n");
      const words = section(all, "what holds, and by which mechanism:").map((line) =>
        line.trim().split(/\s+/).join(" "),
      );
      expect(words).toEqual(
        plan.guarantees.map(({ name, state, mechanism }) => `${name} ${state} ${mechanism ?? ""}`.trim()),
      );
      expect(all.filter((line) => line.startsWith("warning: "))).toEqual(
        plan.warnings.map(({ message }) => `warning: ${message}`),
      );
    }
  });

  test("each rule, under a heading of its own that is not there without one", () => {
    for (const { inputs: given, plan } of made) {
      const rules = explainRules(given);
      const lines = section(explainPlan(plan, rules).split("\n"), "what the task may, and may not:");
      expect(lines.map((line) => line.trim().split(/\s{2,}/))).toEqual(
        rules.map(({ rule, origin }) => [rule, renderOrigin(origin)]),
      );
    }
  });
});

describe("the rules", () => {
  const file = `extends = "task"
[network]
mode = "filtered"
allowed_domains = ["example.org", "@npm"]
denied_domains = ["bad.example.org"]
allowed_egress = ["203.0.113.0/24:443"]
[syscalls]
deny = ["chmod"]
allow = ["kcmp"]
[env]
pass = ["LANG"]
set = { TOKEN = "hunter2" }
`;
  const request = {
    network: "filtered",
    allowDomains: ["flag.example"],
    allowEgress: ["192.0.2.1:80"],
    publish: ["8080:80"],
    envPass: ["TERM"],
    env: [{ name: "SECRET", value: "hunter2" }],
  } as const;
  const words = (given: Parameters<typeof inputs>[0]) =>
    explainRules(inputs(given)).map(({ rule, origin }) => `${rule}: ${renderOrigin(origin)}`);

  test("name each entry and who wrote it, of variables the name alone", () => {
    const found = words({ policy: policyOf(file), request });
    expect(found).toEqual([
      "reach example.org: p.toml:4:20 network.allowed_domains[0]",
      "reach @npm: p.toml:4:35 network.allowed_domains[1]",
      "reach flag.example: --allow-domain #1",
      "never reach bad.example.org: p.toml:5:19 network.denied_domains[0]",
      "reach 203.0.113.0/24:443: p.toml:6:19 network.allowed_egress[0]",
      "reach 192.0.2.1:80: --allow-egress #1",
      "be reached by the host's port 8080:80: --publish #1",
      "never call chmod: p.toml:8:9 syscalls.deny[0]",
      "call kcmp: p.toml:9:10 syscalls.allow[0]",
      "have the caller's variable LANG: p.toml:11:9 env.pass[0]",
      "have the caller's variable TERM: --env-pass #1",
      "have variable TOKEN: p.toml:12:9 env.set.TOKEN",
      "have variable SECRET: --env #1",
    ]);
    expect(found.join()).not.toContain("hunter2");
  });

  test("of a network that the run has not are none of this run", () => {
    const found = words({ policy: policyOf(file), request: { network: "none" } });
    expect(found.filter((line) => line.includes("reach"))).toEqual([]);
  });

  test("of a bridged zone have both directions and its neighbours", () => {
    const network = {
      mode: "bridged",
      allowedEgress: ["0.0.0.0/0:443"],
      allowedIngress: ["10.0.0.0/8:80"],
      allowedZones: ["db"],
    } as const;
    expect(words({ policy: policyWith({ network }) }).slice(0, 3)).toEqual([
      "reach 0.0.0.0/0:443: policy task network.allowed_egress[0]",
      "be reached from 10.0.0.0/8:80: policy task network.allowed_ingress[0]",
      "meet zone db: policy task network.allowed_zones[0]",
    ]);
  });
});

describe("as JSON", () => {
  test("has the ops, rules and promises of the plan, and loses no byte of them", () => {
    for (const { inputs: given, plan } of made) {
      const rules = explainRules(given);
      const data = JSON.parse(JSON.stringify(explainPlanData(plan, rules)));
      expect(data.ops.map((op: { op: string; origin: string }) => [op.op, op.origin])).toEqual(
        plan.ops.map(({ op, origin }) => [op.op, renderOrigin(origin)]),
      );
      expect(data.rules).toEqual(rules.map(({ rule, origin }) => ({ rule, origin: renderOrigin(origin) })));
      expect(data.guarantees).toEqual(
        plan.guarantees.map(({ name, state, mechanism }) => ({ name, state, mechanism })),
      );
      plan.ops.forEach(({ op }, index) => {
        for (const [key, value] of Object.entries(op)) {
          if (!(value instanceof Uint8Array)) continue;
          const shown = Buffer.from(data.ops[index][key], op.op === "file" ? "utf8" : "base64");
          expect([op.op, key, shown.equals(value)]).toEqual([op.op, key, true]);
        }
      });
    }
  });
});
