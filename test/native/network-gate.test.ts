/** The gate at which a zone waits for its network. */
import { describe, expect, test } from "bun:test";
import { readlinkSync } from "node:fs";
import { control, endCause, type PlanOp } from "../../src/run/plan/contract.ts";
import { isRoot, type LaunchOptions, launch, runners } from "./launch.ts";
import { plan } from "./plans.ts";

const gate: PlanOp = { op: "network_gate" };

describe.each([...runners])("the network gate, as %s", (runner) => {
  const run = (
    onRecord: NonNullable<LaunchOptions["onRecord"]>,
    argv = ["readlink", "/proc/self/ns/net"],
    after = [gate],
  ) => launch(plan({ runner, argv, after }), { runner, onRecord });

  test("holds the task until the word, with init in the zone's namespace", async () => {
    let seen = "";
    const { records, output, one } = await run((record, running) => {
      if (record.record !== "network") return;
      if (isRoot) seen = readlinkSync(`/proc/${record.pid}/ns/net`);
      setTimeout(() => running.say(control.go), 50);
    });
    expect(records.map(({ record }) => record)).toEqual(
      expect.arrayContaining(["network", "started", "ended", "cleaned"]),
    );
    expect(records.findIndex(({ record }) => record === "network")).toBeLessThan(
      records.findIndex(({ record }) => record === "started"),
    );
    expect(one("network").pid).toBe(one("started").pid);
    if (isRoot) expect(output(1)).toBe(`${seen}\n`);
    expect(seen).not.toBe(readlinkSync("/proc/self/ns/net"));
  });

  test("stays shut without the word: rauha's end, a kill, a cancel end the zone, and nothing of the task ran", async () => {
    for (const end of ["leave", control.kill, control.cancel] as const) {
      const { one, all } = await run((record, running) => {
        if (record.record !== "network") return;
        if (end === "leave") running.leave();
        else running.say(end, 15);
      });
      // After its caller's end nobody reads why.
      if (end !== "leave") expect(one("failed")).toMatchObject({ errno: 125, step: "start" });
      expect(all("started")).toEqual([]);
      expect(all("output")).toEqual([]);
      expect(one("cleaned").errno).toBe(0);
    }
  });

  test("a word that nobody waits for is nothing", async () => {
    const { one, output, all } = await run(
      (record, running) => {
        if (record.record === "started") for (let i = 0; i < 20; i++) running.say(control.go);
      },
      ["sh", "-c", "sleep 0.2; echo done"],
      [],
    );
    expect(all("network")).toEqual([]);
    expect(one("ended")).toMatchObject({ status: 0, cause: endCause.none });
    expect(output(1)).toBe("done\n");
  });
});
