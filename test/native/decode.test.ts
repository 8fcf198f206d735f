/** Plans that are none: refused as a whole, before anything happens. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { type PlanOp, planHeaderBytes, stages } from "../../src/run/plan/contract.ts";
import { encodePlan } from "../../src/run/plan/encode.ts";
import { launchBytes, type Run, runners } from "./launch.ts";
import { plan, type Runner } from "./plans.ts";

const runner = (runners.at(-1) ?? "user") as Runner;
const good = plan({ runner, argv: ["true"] });

/** A launcher that refuses a plan says so, cleanly, and has done nothing. */
function expectRefused(run: Run, step?: string): void {
  expect({ exitCode: run.exitCode, signal: run.signal, errors: run.errors }).toEqual({
    exitCode: 0,
    signal: null,
    errors: "",
  });
  const failed = run.one("failed");
  expect(stages[failed.stage]).toBe("decode");
  if (step !== undefined) expect(failed.step).toBe(step);
  expect(run.records.map(({ record }) => record)).toEqual(["failed", "cleaned"]);
}

const without = (...names: PlanOp["op"][]) => good.filter(({ op }) => !names.includes(op));
const changed = (change: (view: DataView, length: number) => void, ops = good): Uint8Array => {
  const bytes = new Uint8Array(encodePlan(ops));
  change(new DataView(bytes.buffer), bytes.length);
  return bytes;
};
const appended = (bytes: Uint8Array, more: number[]): Uint8Array => {
  const all = new Uint8Array([...bytes, ...more]);
  new DataView(all.buffer).setUint32(planHeaderBytes - 4, all.length, true);
  return all;
};

describe("a plan is refused that", () => {
  test.each<[string, Uint8Array, string]>([
    ["is empty", new Uint8Array(0), "plan header"],
    ["has another magic", changed((view) => view.setUint8(0, 0)), "plan header"],
    ["is of another contract", changed((view) => view.setUint8(5, view.getUint8(5) ^ 1)), "contract hash"],
    ["counts more ops than there are", changed((view) => view.setUint32(12, good.length + 1, true)), "op header"],
    ["counts fewer ops than there are", changed((view) => view.setUint32(12, good.length - 1, true)), "plan length"],
    ["counts millions of ops", changed((view) => view.setUint32(12, 0xffff_ffff, true)), "plan header"],
    ["says another length", changed((view, length) => view.setUint32(16, length + 1, true)), "plan header"],
    ["has bytes behind its end", new Uint8Array([...encodePlan(good), 0]), "plan header"],
    ["has bytes behind its last op", appended(encodePlan(good), [0]), "plan length"],
    ["has an unknown op", changed((view) => view.setUint32(planHeaderBytes, 999, true)), "op id"],
    ["has an op id between others", changed((view) => view.setUint32(planHeaderBytes, 9, true)), "op id"],
    ["has op id 0", changed((view) => view.setUint32(planHeaderBytes, 0, true)), "op id"],
    ["uses the reserved half of an id", changed((view) => view.setUint8(planHeaderBytes + 2, 1)), "op id"],
    ["has a payload that is too short", changed((view) => view.setUint32(planHeaderBytes + 4, 3, true)), "op field"],
    ["has a payload that is too long", changed((view) => view.setUint32(planHeaderBytes + 4, 5, true)), "op length"],
    ["has a payload past the end", changed((view) => view.setUint32(planHeaderBytes + 4, 1 << 30, true)), "op header"],
    ["has no command", encodePlan(without("exec")), "op missing"],
    ["has a command without words", encodePlan([...without("exec"), { op: "exec", argv: [], env: [] }]), "op field"],
    ["has no namespaces", encodePlan(without("namespaces")), "op missing"],
    ["has no root", encodePlan(without("root")), "op order"],
    ["has no pivot", encodePlan(without("pivot")), "op missing"],
    ["has no identity", encodePlan(without("identity")), "op missing"],
    ["has no capabilities", encodePlan(without("capabilities")), "op missing"],
    ["has no streams", encodePlan(without("io")), "op missing"],
    ["has two commands", encodePlan([...good, { op: "exec", argv: ["a"], env: [] }]), "op repeated"],
    ["has two roots", encodePlan([...good, { op: "root", size: 1, inodes: 1 }]), "op repeated"],
    ["mounts after the pivot", encodePlan([...good, { op: "proc", target: "/proc" }]), "op order"],
    [
      "sets a limit of no cgroup",
      encodePlan([{ op: "cgroup_set", file: "a", value: "b", optional: 0 }, ...good]),
      "op order",
    ],
  ])("%s", async (_, bytes, step) => {
    expectRefused(await launchBytes(bytes, { runner }), step);
  });

  test("has a NUL in a string, or none at its end", async () => {
    const ops: PlanOp[] = good.map((op) => (op.op === "hostname" ? { op: "hostname", name: "NAME" } : op));
    const at = Buffer.from(encodePlan(ops)).indexOf("NAME");
    expect(at).toBeGreaterThan(0);
    for (const [offset, value] of [
      [at + 1, 0],
      [at + 4, 65],
    ] as const) {
      const bytes = changed((view) => view.setUint8(offset, value), ops);
      expectRefused(await launchBytes(bytes, { runner }), "op field");
    }
  });

  test("has a string that is longer than a path", async () => {
    const ops = good.map((op): PlanOp => (op.op === "hostname" ? { op: "hostname", name: "N".repeat(4095) } : op));
    const bytes = Buffer.from(encodePlan(ops));
    const at = bytes.indexOf("NNNN");
    const longer = Buffer.concat([bytes.subarray(0, at), Buffer.from("N"), bytes.subarray(at)]);
    longer.writeUInt32LE(longer.length, 16);
    longer.writeUInt32LE(4096, at - 4);
    longer.writeUInt32LE(4096 + 5, at - 8);
    expectRefused(await launchBytes(longer, { runner }), "op field");
  });

  test("is cut off anywhere", async () => {
    const bytes = encodePlan(good);
    const cuts = Array.from({ length: 24 }, (_, i) => Math.floor((bytes.length * i) / 24));
    for (const cut of [...cuts, 19, 20, 21, bytes.length - 1]) {
      expectRefused(await launchBytes(bytes.slice(0, cut), { runner }), "plan header");
      // the same with a header that tells the truth about the length
      if (cut < planHeaderBytes) continue;
      expectRefused(await launchBytes(appended(bytes.slice(0, cut), []), { runner }));
    }
  });
});

describe("a plan is read", () => {
  test("from a pipe as well", async () => {
    const bytes = encodePlan(good);
    expect((await launchBytes(bytes, { runner, planByPipe: true })).one("ended").status).toBe(0);
  });

  test("whatever else is open, of which nothing reaches the task", async () => {
    const ops = plan({ runner, argv: ["ls", "/proc/self/fd"] });
    expect((await launchBytes(encodePlan(ops), { runner })).output(1)).toBe("0\n1\n2\n3\n");
    expect(readdirSync("/proc/self/fd").length).toBeGreaterThan(4);
  });
});
