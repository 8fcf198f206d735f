/** `--explain`: every mount, limit, filter and rule, where it comes from and what enforces it; nothing is run. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { leftSince, takeSnapshot } from "../support/host-snapshot.ts";
import { rauha, sandbox } from "../support/rauha.ts";

interface Explained {
  readonly ops: readonly Record<string, unknown>[];
  readonly guarantees: readonly { readonly name: string; readonly state: string; readonly mechanism: string | null }[];
}

describe("--explain", () => {
  test("runs nothing and leaves nothing", async () => {
    const folder = makeFolder("explain");
    const before = takeSnapshot([folder]);
    const { exitCode } = await rauha([
      ...["sandbox", "--explain", "--repo-path", folder, "--repo-mode", "rw"],
      ...["--", "touch", join(folder, "trace")],
    ]);
    expect(exitCode).toBe(0);
    expect(existsSync(join(folder, "trace"))).toBe(false);
    expect(await leftSince(before, [folder])).toEqual([]);
  });

  test("names each rule's origin: the flag, or the policy's key with its line", async () => {
    const text = 'extends = "task"\n[resources]\npids_max = 99\n';
    const file = join(writeFiles(makeFolder("explain"), { "mine.toml": text }), "mine.toml");
    const { stdout } = await rauha(["sandbox", "--explain", "--policy", file, "--timeout", "90s", "--", "true"]);
    expect(stdout).toContain("--timeout");
    expect(stdout).toContain("mine.toml:3");
    expect(stdout).toContain("filesystem.root");
    expect(stdout).toContain("99");
  });

  test("as JSON is the plan as data", async () => {
    const { stdout, exitCode } = await rauha([
      "sandbox",
      "--explain",
      "--json",
      "--ro-bind",
      "/usr/bin:/tools",
      "--",
      "true",
    ]);
    expect(exitCode).toBe(0);
    const plan = JSON.parse(stdout) as Explained;
    for (const op of plan.ops)
      expect(op).toMatchObject({ op: expect.any(String), intent: expect.any(String), origin: expect.any(String) });
    expect(plan.ops).toContainEqual(expect.objectContaining({ op: "bind", target: "/tools", origin: "--ro-bind #1" }));
  });

  test("promises what the result then reports as kept", async () => {
    const [explained, ran] = await Promise.all([
      rauha(["sandbox", "--explain", "--json", "--", "true"]),
      sandbox([], ["true"]),
    ]);
    const plan = JSON.parse(explained.stdout) as Explained;
    const states = (list: Explained["guarantees"]) => list.map(({ name, state }) => `${name} ${state}`);
    expect(states(ran.result.guarantees)).toEqual(states(plan.guarantees));
  });

  test("refuses what a run would refuse", async () => {
    const { exitCode, stderr } = await rauha(["sandbox", "--explain", "--image", "debian", "--", "true"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain("--image");
  });
});
