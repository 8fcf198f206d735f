/** The order in which a run asks its parts and takes them down, however far it came. */
import { describe, expect, test } from "bun:test";
import { concludeParts, runZone } from "../../../src/cli/run-zone.ts";
import type { Backend } from "../../../src/run/backend.ts";
import type { BackendEvent } from "../../../src/run/backend-event.ts";
import type { PlanInputs } from "../../../src/run/plan/draft.ts";
import { verdictOf } from "../../../src/run/report/verdict.ts";
import type { RunPart } from "../../../src/run/run-part.ts";
import { inputs, policyWith, userFacts } from "../plan/inputs.ts";
import { cleaned, ended, started } from "../result/run.ts";

const problem = { code: "setup_failed", message: "not today" } as const;

/** A backend whose zones report these events, one list for each time. */
function backendOf(log: string[], ...tries: (readonly BackendEvent[] | Error)[]): Backend {
  const run: Backend["run"] = async (_plan, emit, _signals, _network, moments) => {
    log.push("run");
    await moments?.meanwhile?.();
    const events = tries.shift() ?? [];
    if (events instanceof Error) throw events;
    for (const event of events) emit(event);
  };
  return { run, io: {}, notes: { any: () => false } } as unknown as Backend;
}

/** A part that writes down when it is asked what. */
function part(log: string[], name: string, more: Partial<RunPart> = {}): RunPart {
  return {
    prepare: (given, refused) => {
      log.push(`prepare ${name}${refused === undefined ? "" : ` (${refused})`}`);
      return { ok: true, inputs: given, warnings: [] };
    },
    meanwhile: async () => {
      log.push(`meanwhile ${name}`);
    },
    end: () => {
      log.push(`end ${name}`);
      return [];
    },
    undo: () => {
      log.push(`undo ${name}`);
    },
    conclude: (_report, _verdict, before) => {
      log.push(`conclude ${name}`);
      return before;
    },
    ...more,
  };
}

const run = (backend: Backend, parts: readonly RunPart[], given: PlanInputs = inputs({})) =>
  runZone(backend, {
    inputs: given,
    parts,
    signals: { take: () => [] },
    startedAt: 0,
    output: () => {},
    warn: () => {},
  });

describe("a run with parts", () => {
  test("asks them in their order, and ends them in the reverse; what ran is not undone", async () => {
    const log: string[] = [];
    const parts = [part(log, "a"), part(log, "b")];
    const outcome = await run(backendOf(log, [started, ended(), cleaned]), parts);
    if (!outcome.ok) throw new Error("not run");
    await concludeParts(parts, outcome.report, verdictOf(outcome.report));
    expect(log.join(", ")).toBe(
      "prepare a, prepare b, run, meanwhile a, meanwhile b, end b, end a, conclude a, conclude b",
    );
  });

  test("that can't be made ready undoes those before it, and starts nothing", async () => {
    const log: string[] = [];
    const failing = part(log, "b", { prepare: () => ({ ok: false, diagnostics: [problem] }) });
    expect(await run(backendOf(log), [part(log, "a"), failing, part(log, "c")])).toEqual({
      ok: false,
      diagnostics: [problem],
    });
    expect(log.join(", ")).toBe("prepare a, undo c, undo b, undo a");
  });

  test("whose plan is refused is undone", async () => {
    const log: string[] = [];
    const given = inputs({ policy: policyWith({ enforcement: { require: "bpf-lsm" } }), facts: userFacts });
    expect((await run(backendOf(log), [part(log, "a"), part(log, "b")], given)).ok).toBe(false);
    expect(log.join(", ")).toBe("prepare a, prepare b, undo b, undo a");
  });

  test("whose zone was not set up is undone after its end", async () => {
    const log: string[] = [];
    const failed = { at: 1, record: "failed", stage: 4, op: 0, errno: 1, step: "x", detail: "" } as const;
    await run(backendOf(log, [failed, cleaned]), [part(log, "a")]);
    expect(log.join(", ")).toBe("prepare a, run, meanwhile a, end a, undo a");
  });

  test("that an error of Rauha's own ends is undone, and the error is not lost", async () => {
    const log: string[] = [];
    await expect(run(backendOf(log, new Error("a mistake")), [part(log, "a")])).rejects.toThrow("a mistake");
    expect(log.at(-1)).toBe("undo a");
  });

  test("gives what one part found out to the next, and to the plan", async () => {
    const log: string[] = [];
    let seen = "";
    const renames = part(log, "a", {
      prepare: (given) => ({
        ok: true,
        inputs: { ...given, request: { ...given.request, hostname: "renamed" } },
        warnings: [],
      }),
    });
    const reads = part(log, "b", {
      prepare: (given) => {
        seen = given.request.hostname ?? "";
        return { ok: true, inputs: given, warnings: [] };
      },
    });
    const outcome = await run(backendOf(log, [started, ended(), cleaned]), [renames, reads]);
    expect(seen).toBe("renamed");
    const ops = outcome.ok ? outcome.report.plan.ops.map(({ op }) => op) : [];
    expect(ops).toContainEqual({ op: "hostname", name: "renamed" });
  });
});

describe("a kernel that refuses overlayfs", () => {
  const target = "/home/alice/p";
  const given = inputs({
    request: {
      repo: { path: target, mode: "overlay", origin: { kind: "flag", flag: "--repo-path" } },
      copyOnWrite: [{ target, storage: "/state/0", mechanism: "overlayfs" }],
    },
  });
  const failedAt = async (step: string, detail: string) => {
    const log: string[] = [];
    const spy = backendOf(log, [], []);
    let op = -1;
    const backend: Backend = {
      ...spy,
      run: async (plan, emit, signals, network, moments) => {
        op = plan.ops.findIndex((planned) => planned.op.op === "overlay");
        await spy.run(plan, emit, signals, network, moments);
        emit({ at: 1, record: "failed", stage: 4, op, errno: 22, step, detail });
      },
    };
    await run(backend, [part(log, "layer")], given);
    expect(op).toBeGreaterThan(0);
    return log;
  };

  test("is tried once more with its words, when the first zone is undone", async () => {
    const log = await failedAt("fsconfig", "overlay");
    expect(log.filter((line) => /prepare|run|undo/.test(line))).toEqual([
      "prepare layer",
      "run",
      "undo layer",
      "prepare layer (the kernel refused overlayfs: fsconfig: EINVAL)",
      "run",
      "undo layer",
    ]);
  });

  test("is not blamed for a place where nothing can be mounted", async () => {
    const log = await failedAt("move_mount", "/etc/passwd");
    expect(log.filter((line) => line === "run")).toEqual(["run"]);
  });
});
