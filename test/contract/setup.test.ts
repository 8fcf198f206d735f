/** `rauha setup` where the BPF programs can't be loaded: it says why, and changes nothing. Where they can, test/kernel/bpf has its tests. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lsmSetup } from "../../src/linux/bpf/setup.ts";
import { resultSchema } from "../../src/run/result/schema.ts";
import { rauha } from "../support/rauha.ts";

const ready = lsmSetup.readiness();
const folder = mkdtempSync(join(tmpdir(), "rauha-setup-"));
const pins = "/sys/fs/bpf/rauha";

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bpffs(): readonly string[] {
  try {
    return readdirSync("/sys/fs/bpf");
  } catch (error) {
    return [String((error as { code?: string }).code)];
  }
}

if (ready.trial?.ok !== true)
  describe("setup where it can't be", () => {
    test("says what is missing, in words and as JSON, ends with 125 and leaves nothing", async () => {
      const before = bpffs();
      const { exitCode, stdout, stderr } = await rauha(["setup", "--json"]);
      expect(exitCode).toBe(125);
      const { error, errors } = JSON.parse(stdout);
      expect(error).toMatchObject({ code: "unenforceable", origin: "host (BPF-LSM)" });
      const messages = errors.map(({ message }: { message: string }) => message).join("\n");
      if (!ready.root) expect(messages).toContain("only root can load and use BPF programs");
      if (!ready.bpffs) expect(messages).toContain("no bpffs is mounted at /sys/fs/bpf");
      if (ready.root) expect(messages).toMatch(/can't be attached|not among the active|CONFIG_|bpffs/);
      expect(stderr).toContain("the BPF programs can't be loaded");
      expect(bpffs()).toEqual(before);
    });

    test("doctor says the same, and the policy task needs none of it", async () => {
      const { stdout } = await rauha(["doctor", "--json"]);
      const finding = JSON.parse(stdout).findings.find(({ check }: { check: string }) => check === "bpf_lsm");
      expect(finding).toMatchObject({ state: "unavailable", needed: false });
      if (!ready.bpffs) expect(finding.fix).toContain("mount -t bpf");
    });

    test("a policy that requires bpf-lsm is refused with 125: nothing ran", async () => {
      const policy = join(folder, "strictly.toml");
      writeFileSync(policy, 'extends = "task"\n[enforcement]\nrequire = "bpf-lsm"\n');
      const { exitCode, stdout } = await rauha(["sandbox", "--json", "--policy", policy, "--", "touch", "/tmp/ran"]);
      expect(exitCode).toBe(125);
      const result = resultSchema.parse(JSON.parse(stdout));
      expect(result).toMatchObject({ status: "runtime_error", cause: "policy", exit_code: null });
      expect(result.error?.message).toContain("the policy requires bpf-lsm, which does not decide here");
    });
  });

describe("setup --remove", () => {
  if (ready.root && existsSync(pins)) return;
  test("is root's, and has nothing to do where nothing is pinned", async () => {
    const { exitCode } = await rauha(["setup", "--remove"]);
    expect(exitCode).toBe(ready.root ? 0 : 125);
    expect(bpffs()).not.toContain("rauha");
  });
});
