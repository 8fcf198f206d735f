/** `rauha setup`, `doctor` and `sandbox` on a kernel that can do it, as their users see them. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { lsmSetup } from "../../../src/linux/bpf/setup.ts";
import { type Result, resultSchema } from "../../../src/run/result/schema.ts";
import { inVm, isRoot } from "../../support/identity.ts";
import { rauha, start } from "../../support/rauha.ts";

const pins = "/sys/fs/bpf/rauha";
const folder = mkdtempSync("/var/tmp/bpf-sandbox-");
const strictly = `${folder}/strictly.toml`;
writeFileSync(strictly, 'extends = "task"\n[enforcement]\nrequire = "bpf-lsm"\n');

async function run(...args: readonly string[]): Promise<{ result: Result; code: number | null }> {
  const { stdout, exitCode } = await rauha(["sandbox", "--json", ...args], { patienceMs: 110_000 });
  return { result: resultSchema.parse(JSON.parse(stdout)), code: exitCode };
}

const boundary = (result: Result) => result.guarantees.find(({ name }) => name === "lsm_zone_boundary");
const generations = () => readdirSync(`${pins}/links`);

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  if (inVm && isRoot) await rauha(["setup", "--remove"], { patienceMs: 390_000 });
}, 400_000);

if (inVm)
  describe("before setup", () => {
    test("zones say that the programs do not guard them", async () => {
      const { result } = await run("--", "true");
      expect(result.enforcement.lsm).toEqual(["landlock"]);
      expect(boundary(result)).toMatchObject({
        state: "unavailable",
        mechanism: expect.stringContaining("rauha setup"),
      });
    });

    test("a policy that requires them is refused: 125, and nothing ran", async () => {
      const { result, code } = await run("--policy", strictly, "--", "true");
      expect(code).toBe(125);
      expect(result.error).toMatchObject({
        code: "unenforceable",
        message: expect.stringContaining("requires bpf-lsm"),
        origin: expect.stringContaining("strictly.toml:3"),
      });
    });
  });

if (inVm && !isRoot)
  test("an ordinary user is told that setup is root's", async () => {
    const { exitCode, stderr } = await rauha(["setup"], { patienceMs: 110_000 });
    expect(exitCode).toBe(125);
    expect(stderr).toContain("only root can load and use BPF programs");
    expect((await rauha(["setup", "--remove"])).exitCode).toBe(125);
  });

if (inVm && isRoot)
  describe("setup", () => {
    test("doctor names the command", async () => {
      const { stdout } = await rauha(["doctor", "--json"], { patienceMs: 110_000 });
      const finding = JSON.parse(stdout).findings.find(({ check }: { check: string }) => check === "bpf_lsm");
      expect(finding).toMatchObject({ state: "unavailable", fix: "rauha setup" });
    }, 120_000);

    test("loads, tries and pins; the same again changes nothing", async () => {
      const first = await rauha(["setup", "--json"], { patienceMs: 110_000 });
      expect(first).toMatchObject({ exitCode: 0, stderr: "" });
      const said = JSON.parse(first.stdout);
      expect(said).toMatchObject({ change: "loaded", state: { current: true, zones: [] } });
      expect(said.programs).toBeGreaterThanOrEqual(30);
      // The self-test's: an open and a signal, denied.
      expect(said.state.counters).toMatchObject({ file_open: { deny: 1 }, task_kill: { deny: 1 } });
      const pinned = generations();
      expect(pinned).toHaveLength(1);
      const again = await rauha(["setup", "--json"], { patienceMs: 110_000 });
      expect(JSON.parse(again.stdout)).toMatchObject({ change: "none" });
      expect(generations()).toEqual(pinned);
      expect(readdirSync(`/sys/fs/cgroup`).filter((name) => name.startsWith("rauha-selftest"))).toEqual([]);
    }, 120_000);

    test("an upgrade pins the new programs before the old ones go, and takes away what a killed setup left", async () => {
      const [now = ""] = generations();
      // What an older build's programs look like, and a setup that was killed half-way.
      const old = Bun.spawnSync(["sh", "-c", `cd ${pins}/links && mv ${now} 0000000000000000 && mkdir new`]);
      expect(old.stderr.toString()).toBe("");
      const { stdout } = await rauha(["setup", "--json"], { patienceMs: 110_000 });
      expect(JSON.parse(stdout)).toMatchObject({ change: "upgraded" });
      expect(generations()).toEqual([now]);
      expect((await run("--policy", strictly, "--", "true")).code).toBe(0);
    }, 120_000);

    test("two at once come to one", async () => {
      const both = await Promise.all([1, 2].map(() => rauha(["setup", "--json"], { patienceMs: 110_000 })));
      expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
      expect(generations()).toHaveLength(1);
    }, 120_000);

    test("zones are guarded, and say so", async () => {
      const { result, code } = await run(
        "--policy",
        strictly,
        "--",
        "sh",
        "-c",
        "cat /etc/hostname; kill -0 $$; echo hi | cat",
      );
      expect({ code, stderr: result.stderr }).toEqual({ code: 0, stderr: "" });
      expect(result.stdout).toEndWith("hi\n");
      expect(result.enforcement).toMatchObject({ lsm: ["bpf-lsm", "landlock"], trust_level: "complete" });
      expect(boundary(result)).toEqual({ name: "lsm_zone_boundary", state: "enforced", mechanism: "bpf-lsm" });
      expect(result.enforcement_events).toEqual([]);
    }, 120_000);

    test("denials arrive in the result, with why and the key that would allow it", async () => {
      // The zone's loopback is its own; a connect elsewhere meets the programs before the missing route.
      const script = "import socket; socket.create_connection(('192.0.2.7', 443), 5)";
      const { result } = await run("--", "python3", "-c", script);
      expect(result.stderr).toContain("PermissionError");
      expect(result.enforcement_events).toContainEqual(
        expect.objectContaining({
          hook: "socket_connect",
          action: "connect",
          decision: "deny",
          object: "192.0.2.7:443",
          comm: "python3",
          source_zone: result.zone_id,
          target_zone: null,
          policy_key: "network.allowed_egress",
        }),
      );
      const event = result.enforcement_events.find(({ hook }) => hook === "socket_connect");
      const at = Date.parse(event?.timestamp ?? "");
      expect(at).toBeGreaterThanOrEqual(Date.parse(result.started_at) - 1000);
      expect(at).toBeLessThanOrEqual(Date.parse(result.finished_at) + 1000);
    }, 120_000);

    test("a copy-on-write workspace works as before", async () => {
      const repo = mkdtempSync("/var/tmp/bpf-repo-");
      writeFileSync(`${repo}/a`, "1\n");
      const { result, code } = await run(
        "--repo-path",
        repo,
        "--",
        "sh",
        "-c",
        "echo 2 >>a && echo new >b && mkdir c && mv b c/b",
      );
      expect({ code, stderr: result.stderr }).toEqual({ code: 0, stderr: "" });
      expect(result.changes.map(({ path }) => path).toSorted()).toEqual(["a", "c", "c/b"]);
      expect(result.enforcement_events).toEqual([]);
      expect(readFileSync(`${repo}/a`, "utf8")).toBe("1\n");
      rmSync(repo, { recursive: true });
      await rauha(["discard", result.task_id]);
    }, 120_000);

    test("is not taken away from under a zone that lives", async () => {
      const other = start(["sandbox", "--json", "--", "sleep", "600"]);
      for (let tries = 0; (lsmSetup.state()?.zones.length ?? 0) === 0; tries++) {
        if (tries > 600) throw new Error("the zone never showed up");
        await Bun.sleep(50);
      }
      const removal = await rauha(["setup", "--remove"], { patienceMs: 110_000 });
      expect(removal.exitCode).toBe(125);
      expect(removal.stderr).toContain("1 zone is guarded");
      other.kill("SIGTERM");
      await other.exited;
      expect(lsmSetup.state()?.zones).toEqual([]);
    }, 120_000);

    test("killed at any moment, an invocation leaves nothing that the next ones do not sweep", async () => {
      for (const delay of [150, 300, 450, 700]) {
        const child = start(["sandbox", "--json", "--", "sleep", "100"]);
        await Bun.sleep(delay);
        child.kill("SIGKILL");
        await child.exited;
      }
      await Bun.sleep(500);
      expect((await run("--", "true")).code).toBe(0);
      expect(lsmSetup.state()?.zones).toEqual([]);
    }, 120_000);

    test("programs that can't be used are an error, not less protection", async () => {
      const broken = Bun.spawnSync(["sh", "-c", `mv ${pins}/maps/rauha_config ${pins}/maps/elsewhere`]);
      expect(broken.stderr.toString()).toBe("");
      const { result, code } = await run("--", "true");
      expect(code).toBe(125);
      expect(result.error?.message).toContain("pinned BPF maps");
      Bun.spawnSync(["sh", "-c", `mv ${pins}/maps/elsewhere ${pins}/maps/rauha_config`]);
      expect((await run("--", "true")).code).toBe(0);
    }, 120_000);

    test("more ranges of ports than the programs hold are refused with what helps, and nothing is left", async () => {
      const policy = `${folder}/scattered.toml`;
      const egress = Array.from({ length: 65 }, (_, index) => `"192.0.2.1/32:${1000 + 2 * index}"`);
      writeFileSync(policy, `extends = "standard"\n[network]\nallowed_egress = [${egress.join(", ")}]\n`);
      const cgroups = () => [...new Bun.Glob("**/rauha-*").scanSync({ cwd: "/sys/fs/cgroup", onlyFiles: false })];
      const before = cgroups();
      const { result, code } = await run("--policy", policy, "--", "true");
      expect(code).toBe(125);
      expect(result.error).toMatchObject({
        code: "unenforceable",
        message: expect.stringContaining("192.0.2.1/32 come to 65 ranges, and BPF-LSM takes at most 64"),
        hint: "list less, or ranges that hold more",
      });
      expect([cgroups(), lsmSetup.state()?.zones]).toEqual([before, []]);
    }, 120_000);

    test("--explain says what will guard, and makes nothing", async () => {
      const { stdout, exitCode } = await rauha(["sandbox", "--explain", "--", "true"]);
      expect(exitCode).toBe(0);
      expect(stdout).toContain("bpf-lsm");
    }, 120_000);

    test("--remove takes everything away", async () => {
      expect((await rauha(["setup", "--remove"], { patienceMs: 110_000 })).exitCode).toBe(0);
      expect(existsSync(pins)).toBe(false);
      expect((await run("--", "true")).result.enforcement.lsm).toEqual(["landlock"]);
      expect((await rauha(["setup", "--remove"], { patienceMs: 110_000 })).exitCode).toBe(0);
    }, 180_000);
  });
