import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { loadPolicy } from "../../../src/cli/policy-source.ts";
import { shippedPolicies } from "../../../src/run/policy/shipped.gen.ts";
import { run } from "./ports.ts";

let cwd = "";

beforeAll(() => {
  cwd = mkdtempSync(`${tmpdir()}/rauha-policy-`);
  mkdirSync(`${cwd}/sub`);
  const files = {
    "good.toml": 'extends = "task"\n[resources]\npids_max = 9\n',
    "bad.toml": 'extends = "task"\n[resources]\nmemry_limit = "4Gi"\n[limits]\nwalltime = "soon"\n',
    "sub/child.toml": 'extends = "../good.toml"\n[limits]\nnofile = 99\n',
    "circle-a.toml": 'extends = "./circle-b.toml"\n',
    "circle-b.toml": 'extends = "./circle-a.toml"\n',
    "lost.toml": 'extends = "./nowhere.toml"\n',
    task: 'extends = "strict"\n',
    plain: 'extends = "strict"\n',
    "big.toml": `# ${"x".repeat(70_000)}\n`,
    "binary.toml": "\u0000\u0001",
    "profile.toml": 'extends = "task"\n[syscalls]\nprofile = "./nope.json"\n',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(`${cwd}/${name}`, text);
  writeFileSync(`${cwd}/latin.toml`, Buffer.from([0x23, 0xe4, 0x0a]));
});

afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe("which policy a word means", () => {
  test.each(Object.keys(shippedPolicies))("%s is shipped, whatever lies in the directory", async (name) => {
    expect(await loadPolicy(name, { cwd })).toEqual({ ok: true, policy: shippedPolicies[name] as never });
  });

  test.each([
    ["./task", "task"],
    ["plain", "plain"],
    ["good.toml", "good"],
    ["./good.toml", "good"],
    ["sub/child.toml", "child"],
    ["sub/../good.toml", "good"],
  ])("%s is a file", async (name, policyName) => {
    const loaded = await loadPolicy(name, { cwd });
    expect(loaded.ok && loaded.policy.name).toBe(policyName);
  });

  test("an absolute path is a file", async () => {
    expect((await loadPolicy(`${cwd}/good.toml`, { cwd: "/" })).ok).toBe(true);
  });

  test("extends is taken from the file that says it", async () => {
    const loaded = await loadPolicy("sub/child.toml", { cwd });
    expect(loaded.ok && [loaded.policy.resources.pidsMax, loaded.policy.limits.nofile]).toEqual([9, 99]);
    expect(loaded.ok && loaded.policy.places["resources.pids_max"]?.file).toBe("good.toml");
  });

  test.each([
    ["strct", "not_found", "did you mean strict, or the file ./strct?"],
    ["tsk", "not_found", "did you mean task"],
    ["good", "not_found", "./good.toml"],
    ["zzzzzzzz", "not_found", "the shipped ones are task, build, standard, strict, privileged"],
    ["constructor", "not_found", "the shipped ones are"],
    ["nope.toml", "not_found", "a TOML file"],
    ["good.toml/x", "not_found", "a TOML file"],
    ["it's", "not_found", "'./it'\\''s'"],
  ])("%s: %s", async (name, code, hint) => {
    const loaded = await loadPolicy(name, { cwd });
    expect(loaded.ok ? [] : loaded.diagnostics).toMatchObject([
      { code, hint: expect.stringContaining(hint), origin: { kind: "flag", flag: "--policy" } },
    ]);
  });

  test.each([
    ["./sub", "is a directory"],
    ["big.toml", "64 KiB"],
    ["/dev/zero", "64 KiB"],
    ["binary.toml", "NUL"],
    ["latin.toml", "UTF-8"],
    ["circle-a.toml", "in a circle"],
    ["lost.toml", "there is no such file"],
  ])("%s is refused: %s", async (name, words) => {
    const loaded = await loadPolicy(name, { cwd });
    expect(loaded.ok ? "" : loaded.diagnostics.map(({ message }) => message).join()).toContain(words);
  });
});

describe("policy check", () => {
  test("a valid file", async () => {
    const { code, stdout, stderr } = await run(["policy", "check", "good.toml"], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^good\.toml: valid \(policy good, sha256:[0-9a-f]{64}\)\n$/);
  });

  test("a valid file, as JSON", async () => {
    const { stdout } = await run(["policy", "check", "--json", "good.toml"], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({
      valid: true,
      file: "good.toml",
      policy: { name: "good" },
      unenforceable_here: [],
    });
  });

  test("all mistakes of a file, with line and column and the nearest name", async () => {
    const { code, stdout, stderr } = await run(["policy", "check", "bad.toml"], { cwd });
    expect([code, stdout]).toEqual([125, ""]);
    expect(stderr).toContain('rauha: bad.toml:3:1 resources.memry_limit: unknown key "memry_limit"');
    expect(stderr).toContain("memory_limit");
    expect(stderr).toContain("rauha: bad.toml:5:");
  });

  test("the same as JSON", async () => {
    const { code, stdout } = await run(["policy", "check", "bad.toml", "--json"], { cwd });
    expect(code).toBe(125);
    const { error, errors } = JSON.parse(stdout);
    expect(error).toMatchObject({ code: "invalid_policy", origin: "bad.toml:3:1 resources.memry_limit" });
    expect(errors).toHaveLength(2);
  });

  test("the system call profile that it names", async () => {
    const { code, stderr } = await run(["policy", "check", "profile.toml"], { cwd });
    expect(code).toBe(125);
    expect(stderr).toContain("syscalls.profile");
  });

  test("what this host would refuse is a warning", async () => {
    const { code, stdout, stderr } = await run(["policy", "check", "standard"]);
    expect(code).toBe(0);
    expect(stdout).toContain("this host would refuse");
    expect(stderr).toContain("rauha: warning: policy standard network.mode");
    const { stdout: json } = await run(["policy", "check", "standard", "--json"]);
    expect(JSON.parse(json).unenforceable_here[0]).toMatchObject({ code: "permission" });
  });
});

describe("policy show", () => {
  test("lists the shipped ones", async () => {
    const { code, stdout } = await run(["policy", "show"]);
    expect(code).toBe(0);
    expect(stdout.split("\n").map((line) => line.split(" ")[0])).toEqual(["NAME", ...Object.keys(shippedPolicies), ""]);
    const { policies } = JSON.parse((await run(["policy", "show", "--json"])).stdout);
    expect(policies.map(({ name }: { name: string }) => name)).toEqual(Object.keys(shippedPolicies));
  });

  test.each(Object.keys(shippedPolicies))("%s is TOML that means the same", async (name) => {
    const { stdout } = await run(["policy", "show", name]);
    writeFileSync(`${cwd}/shown-${name}.toml`, stdout);
    const again = await loadPolicy(`shown-${name}.toml`, { cwd });
    expect(again.ok && again.policy.hash).toBe(shippedPolicies[name]?.hash as never);
  });

  test("a file of the user's says where each key was said", async () => {
    expect((await run(["policy", "show", "good.toml"], { cwd })).stdout).toContain("pids_max = 9 # good.toml:3");
  });

  test("as JSON, in the keys of the text", async () => {
    const { stdout } = await run(["policy", "show", "good.toml", "--json"], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ name: "good", extends: "task", resources: { pids_max: 9 } });
  });

  test("an unknown name", async () => {
    expect(await run(["policy", "show", "strct"])).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("did you mean strict"),
    });
  });
});
