import { describe, expect, test } from "bun:test";
import { delegatedFacts, userFacts } from "../plan/inputs.ts";
import { refusedClone, run } from "./ports.ts";

describe("rauha doctor", () => {
  test("exits 0 where the policy task can be enforced, and says so", async () => {
    const { code, stdout, stderr } = await run(["doctor"], { facts: delegatedFacts });
    expect(code).toBe(0);
    expect(stdout).toStartWith("linux 6.12.0, as ordinary user 1000\n\n");
    expect(stdout).toMatch(/^ok +user namespaces /m);
    expect(stdout).toMatch(/^ok +trial +`true` ran in a zone/m);
    expect(stderr).toBe("rauha: this host can enforce the policy task\n");
  });

  test("says what falls back, what is absent, and what would fix it, on a line of its own", async () => {
    const files = { "/proc/1/comm": "systemd\n", "/sys/fs/cgroup/cgroup.controllers": "cpu io memory pids\n" };
    const { code, stdout } = await run(["doctor"], { facts: userFacts, files });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^fallback +memory limit /m);
    expect(stdout).toMatch(/^absent +io weight /m);
    expect(stdout).toMatch(/^ {10}fix: systemd-run --user --scope --quiet rauha sandbox -- true$/m);
  });

  test("exits 1 when a zone can't be made, and names the setting that explains it", async () => {
    const files = { "/proc/sys/kernel/unprivileged_userns_clone": "0\n" };
    const { code, stdout, stderr } = await run(["doctor"], { files, events: refusedClone });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^missing +user namespaces +kernel\.unprivileged_userns_clone is 0/m);
    expect(stdout).toContain("echo 'kernel.unprivileged_userns_clone = 1' | sudo tee -a");
    expect(stdout).toMatch(/^missing +trial /m);
    expect(stderr).toContain("can't enforce the policy task");
  });

  test("exits 1 when the planner refuses", async () => {
    const facts = { ...userFacts, userNamespaces: { ok: false, reason: "switched off" } } as const;
    expect((await run(["doctor"], { facts, events: refusedClone })).code).toBe(1);
  });

  test("as JSON, with the same exit code and nothing on stderr", async () => {
    const { code, stdout, stderr } = await run(["doctor", "--json"], { events: refusedClone });
    expect([code, stderr]).toEqual([1, ""]);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      schema: "rauha.doctor/v1",
      enforceable: false,
      host: { platform: "linux", kernel: "6.12.0", uid: 1000, privileged: false },
    });
    expect(Object.keys(report.findings[0])).toEqual(["check", "state", "needed", "summary", "fix"]);
  });

  test("nothing that the host says can steer the terminal", async () => {
    const { stdout } = await run(["doctor"], { facts: { ...userFacts, kernel: "6.12\u001b[2J" } });
    expect(stdout).not.toContain("\u001b");
  });

  test("colours only on a terminal", async () => {
    expect((await run(["doctor"], { terminal: true })).stdout).toContain("\u001b[32mok");
    expect((await run(["doctor"], { terminal: true, env: { NO_COLOR: "1" } })).stdout).not.toContain("\u001b");
  });
});
