/** What the planner promises on which kernel, and that a promise is taken back when what keeps it is gone. */
import { describe, expect, test } from "bun:test";
import { enforcement } from "../../../src/run/plan/enforcement.ts";
import type { Plan } from "../../../src/run/plan/plan.ts";
import { plan as planZone } from "../../../src/run/plan/planner.ts";
import type { Result } from "../../../src/run/result/schema.ts";
import { cleaned, ended, resultOf, started } from "../result/run.ts";
import { delegatedFacts, inputs, planned, policyWith, refused, rootFacts, userFacts } from "./inputs.ts";

const origin = { kind: "flag", flag: "--x" } as const;

function promised(plan: Plan, name: string) {
  return plan.guarantees.find((entry) => entry.name === name);
}

function rules(plan: Plan) {
  const op = plan.ops.map(({ op }) => op).find((found) => found.op === "landlock");
  return op?.op === "landlock" ? op : undefined;
}

/** What each ABI of Landlock adds for a zone, by what the one before is reported to lack. */
const lacking: Readonly<Record<number, readonly string[]>> = {
  1: ["renaming", "truncating", "TCP", "ioctl", "signals"],
  2: ["truncating", "TCP", "ioctl", "signals"],
  3: ["TCP", "ioctl", "signals"],
  4: ["ioctl", "signals"],
  5: ["signals"],
  6: [],
  7: [],
};

describe.each(Object.entries(lacking))("landlock ABI %s", (text, missing) => {
  const abi = Number(text);
  const plan = planned({ facts: { ...userFacts, landlockAbi: abi } });
  const mechanism = promised(plan, "filesystem_rules")?.mechanism ?? "";

  test("is named, with what it lacks", () => {
    expect(mechanism).toStartWith(`landlock ABI ${abi}`);
    for (const word of ["renaming", "truncating", "TCP", "ioctl", "signals"]) {
      expect({ word, said: mechanism.includes(word) }).toEqual({ word, said: missing.includes(word) });
    }
  });

  test("handles no right that the kernel does not know", () => {
    const bits = [0, 13, 14, 15, 15, 16, 16, 16][abi] ?? 0;
    expect(rules(plan)?.fs).toBe(2 ** bits - 1);
    for (const { op } of plan.ops) {
      if (op.op === "landlock_path") expect(Number(op.access) & ~(2 ** bits - 1)).toBe(0);
    }
  });

  test("has scopes since 6, and says when it has none", () => {
    expect(rules(plan)?.scope).toBe(abi >= 6 ? 3 : 0);
    expect(promised(plan, "scope")?.state).toBe(abi >= 6 ? "enforced" : "unavailable");
  });
});

describe("without Landlock", () => {
  test("no zone runs", () => {
    const [problem] = refused({ facts: { ...userFacts, landlockAbi: 0 } });
    expect(problem).toMatchObject({ code: "unenforceable", origin: { kind: "host", what: "Landlock" } });
  });

  test("the policy that requires it is named", () => {
    const policy = policyWith({ enforcement: { require: "landlock" } });
    const [problem] = refused({ facts: { ...userFacts, landlockAbi: 0 }, policy });
    expect(problem?.origin).toMatchObject({ kind: "policy", key: "enforcement.require" });
  });

  test("nor without seccomp", () => {
    const facts = { ...userFacts, seccomp: { ok: false, reason: "the kernel is built without seccomp" } } as const;
    expect(refused({ facts })[0]?.message).toContain("built without seccomp");
  });
});

const everything = policyWith({
  resources: { cpus: 1, cpuShares: 512, ioWeight: 50 },
  limits: { cpuSeconds: 1, asBytes: 1 << 30, fsizeBytes: 1 << 20 },
  filesystem: { deniedPaths: ["/usr/share/doc"], readablePaths: ["/opt"], writablePaths: ["/data"] },
});
const copyOnWrite = (mechanism: "overlayfs" | "reflink copy" | "copy") => ({
  repo: { path: "/home/alice/p", mode: "overlay", origin } as const,
  copyOnWrite: [{ target: "/home/alice/p", storage: "/home/alice/s", mechanism }],
});

/** Plans that together make every promise there is, by every mechanism. */
const plans: readonly Plan[] = [
  planned({}),
  planned({ facts: delegatedFacts, policy: everything }),
  planned({ facts: rootFacts, policy: policyWith({ resources: { cpus: 1, cpuShares: 512 } }) }),
  planned({ policy: policyWith({ limits: { cpuSeconds: 1, asBytes: 1, fsizeBytes: 1, coreBytes: 0 } }) }),
  planned({ policy: policyWith({ network: { allowedEgress: ["0.0.0.0/0:443"] } }) }),
  ...(["overlayfs", "reflink copy", "copy"] as const).map((mechanism) => planned({ request: copyOnWrite(mechanism) })),
];

describe("the table of mechanisms", () => {
  const table: Readonly<Record<string, { readonly means: Readonly<Record<string, { readonly words: string }>> }>> =
    enforcement;

  test("has every mechanism that the planner promises", () => {
    for (const { name, state, mechanism } of plans.flatMap(({ guarantees }) => guarantees)) {
      if (state !== "enforced") continue;
      const words = Object.values(table[name]?.means ?? {}).map((means) => means.words);
      const known = words.some((start) => mechanism?.startsWith(start));
      expect({ name, mechanism, known }).toEqual({ name, mechanism, known: true });
    }
  });

  test("has no promise that nobody makes", () => {
    const made = new Set<string>(plans.flatMap(({ guarantees }) => guarantees.map(({ name }) => name)));
    expect(Object.keys(enforcement).filter((name) => !made.has(name))).toEqual([]);
  });
});

describe("a promise is taken back", () => {
  const plan = planned({ facts: delegatedFacts, policy: everything });
  const stateOf = (result: Result, name: string) => result.guarantees.find((entry) => entry.name === name)?.state;

  const kept = plan.guarantees.filter(({ state, ops }) => state === "enforced" && ops.length > 0);
  test.each(kept.map(({ name, ops }) => [name, ops[0] ?? 0] as const))("%s, when its op was skipped", (name, op) => {
    const complete = resultOf(plan, [started, ended(), cleaned]);
    expect(stateOf(complete.result, name)).toBe("enforced");
    const skipped = { at: 1, record: "skipped", op, errno: 2, step: "open" } as const;
    expect(stateOf(resultOf(plan, [skipped, started, ended(), cleaned]).result, name)).toBe("unavailable");
  });

  test("all of them, when the self-test refused the zone", () => {
    const verify = plan.ops.findIndex(({ op }) => op.op === "verify");
    const failed = { at: 1, record: "failed", stage: 11, op: verify, errno: 0, step: "verify", detail: "x" } as const;
    const { result, exitCode } = resultOf(plan, [failed, cleaned]);
    expect(exitCode).toBe(125);
    expect(result.enforcement).toMatchObject({
      mode: "unavailable",
      lsm: [],
      seccomp: false,
      trust_level: "unavailable",
    });
    expect(result.guarantees.filter(({ state }) => state === "enforced")).toEqual([]);
  });

  test("denial events, and the trust in the report, without a listener", () => {
    const silent = inputs({});
    const outcome = planZone({ ...silent, filter: { ...silent.filter, listen: false } });
    if (!outcome.ok) throw new Error("refused");
    const { result } = resultOf(outcome.plan, [started, ended(), cleaned]);
    expect(stateOf(result, "denial_events")).toBe("unavailable");
    expect(stateOf(result, "syscall_filter")).toBe("enforced");
    expect(result.enforcement.trust_level).toBe("best_effort");
  });
});
