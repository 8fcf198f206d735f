import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { RAUHA, rauha } from "../support/rauha.ts";

/** Every command but `sandbox`, in the built executable: what they print, where, and how they exit. */

let cwd = "";

beforeAll(() => {
  cwd = mkdtempSync(`${tmpdir()}/rauha-commands-`);
  writeFileSync(`${cwd}/good.toml`, 'extends = "task"\n[resources]\npids_max = 20\n');
  writeFileSync(`${cwd}/bad.toml`, '[resources]\nmemory_limt = "1Gi"\n[nework]\n');
});

afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe("what Rauha says of itself", () => {
  test("--version has version, commit and the launcher's hash", async () => {
    const { exitCode, stdout, stderr } = await rauha(["--version"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^rauha \d+\.\d+\.\d+ \(commit \S+, launcher sha256:[0-9a-f]{64}\)\n$/);
    const { version, commit, launcher_sha256 } = JSON.parse((await rauha(["--version", "--json"])).stdout);
    expect(stdout).toBe(`rauha ${version} (commit ${commit}, launcher sha256:${launcher_sha256})\n`);
  });

  test.each([[["--help"]], [["-h"]], [["help"]]])("%j", async (args) => {
    const { exitCode, stdout, stderr } = await rauha(args);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("rauha sandbox -- echo hello");
  });

  test("help of sandbox is the same whoever answers", async () => {
    const { stdout } = await rauha(["sandbox", "--help"]);
    expect(stdout).toStartWith("rauha sandbox: ");
    expect((await rauha(["help", "sandbox"])).stdout).toBe(stdout);
  });

  test("no command is a usage error, an unknown one is answered with the nearest", async () => {
    expect(await rauha([])).toMatchObject({ exitCode: 2, stdout: "" });
    const { exitCode, stderr } = await rauha(["sandbix"]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("did you mean rauha sandbox?")]);
  });

  test("a command of a later build is unsupported", async () => {
    const { exitCode, stdout, stderr } = await rauha(["batch", "tasks.jsonl", "--json"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain("not available in this build");
    expect(JSON.parse(stdout).error.code).toBe("unsupported");
  });
});

describe("policies", () => {
  test("check says valid, or every mistake with its place", async () => {
    expect(await rauha(["policy", "check", "good.toml"], { cwd })).toMatchObject({ exitCode: 0, stderr: "" });
    const { exitCode, stderr, stdout } = await rauha(["policy", "check", "bad.toml"], { cwd });
    expect([exitCode, stdout]).toEqual([125, ""]);
    expect(stderr).toContain('bad.toml:2:1 resources.memory_limt: unknown key "memory_limt"');
    expect(stderr).toContain("bad.toml:3:");
  });

  test("show prints TOML that check takes", async () => {
    const { stdout } = await rauha(["policy", "show", "strict"]);
    writeFileSync(`${cwd}/strict.toml`, stdout);
    expect((await rauha(["policy", "check", "strict.toml"], { cwd })).exitCode).toBe(0);
  });

  test("sandbox runs with a file, and names the same hash as check", async () => {
    const { exitCode, stdout } = await rauha(["sandbox", "--policy", "good.toml", "--", "true"], { cwd });
    const { policy } = JSON.parse(stdout);
    expect([exitCode, policy.name]).toEqual([0, "good"]);
    expect((await rauha(["policy", "check", "good.toml"], { cwd })).stdout).toContain(policy.hash);
  });
});

describe("doctor", () => {
  test("finds that this host, where zones run, can enforce the policy task", async () => {
    const { exitCode, stdout, stderr } = await rauha(["doctor"]);
    expect([exitCode, stderr]).toEqual([0, "rauha: this host can enforce the policy task\n"]);
    expect(stdout).toMatch(/^ok +trial /m);
  });

  test("and says the same as JSON", async () => {
    const { exitCode, stdout, stderr } = await rauha(["doctor", "--json"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    const report = JSON.parse(stdout);
    expect(report.enforceable).toBe(true);
    expect(report.host.uid).toBe(process.getuid?.() ?? -1);
  });
});

describe("scripts and schemas", () => {
  test.each(["result", "event", "policy"])("schema %s", async (name) => {
    expect(JSON.parse((await rauha(["schema", name])).stdout).type).toBe("object");
  });

  test("completions bash can be sourced from the program itself", async () => {
    const script = `source <("$1" completions bash); COMP_WORDS=(rauha doc); COMP_CWORD=1; _rauha; echo "\${COMPREPLY[*]}"`;
    const { stdout, stderr } = Bun.spawnSync(["bash", "--norc", "-c", script, "bash", RAUHA]);
    expect([stdout.toString(), stderr.toString()]).toEqual(["doctor\n", ""]);
  });

  test("a closed pipe is no crash", async () => {
    const child = Bun.spawn(["sh", "-c", `"$1" schema result | head -c 1`, "sh", RAUHA], {
      stdout: "pipe",
      stderr: "pipe",
    });
    expect([await child.stdout.text(), await child.stderr.text()]).toEqual(["{", ""]);
  });
});
