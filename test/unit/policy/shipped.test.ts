import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { generatePolicies } from "../../../scripts/generate/policies.ts";
import { capabilityNames } from "../../../src/run/capabilities.ts";
import { hashRules } from "../../../src/run/policy/hash.ts";
import type { Policy } from "../../../src/run/policy/policy.ts";
import { shippedPolicies, shippedPolicyNames } from "../../../src/run/policy/shipped.gen.ts";
import { sha256 } from "./reading.ts";

const root = join(import.meta.dir, "../../..");
const GiB = 1024 ** 3;

function shipped(name: string): Policy {
  const policy = shippedPolicies[name];
  if (policy === undefined) throw new Error(`${name} is not shipped`);
  return policy;
}

describe("the shipped policies", () => {
  test("are the files of policies/, compiled as they are now", () => {
    const files = readdirSync(join(root, "policies")).filter((file) => file.endsWith(".toml"));
    expect(files.toSorted()).toEqual(shippedPolicyNames.map((name) => `${name}.toml`).toSorted());
    expect(Object.keys(shippedPolicies)).toEqual([...shippedPolicyNames]);
    for (const { path, content } of generatePolicies()) expect(readFileSync(join(root, path), "utf8")).toBe(content);
  });

  test("come out the same every time", () => {
    expect(generatePolicies()).toEqual(generatePolicies());
  });

  test.each([...shippedPolicyNames])("%s is called so, and its hash is right", (name) => {
    const { name: own, hash, places, base: _, ...rules } = shipped(name);
    expect([own, places]).toEqual([name, {}]);
    expect(hash).toBe(hashRules(rules, sha256));
    expect(Object.hasOwn(shipped(name), "base")).toBe(false);
  });

  test("load neither zod nor the TOML parser", async () => {
    const built = await Bun.build({ entrypoints: [join(root, "src/run/policy/shipped.gen.ts")], target: "bun" });
    expect(built.success).toBe(true);
    const text = (await built.outputs[0]?.text()) ?? "";
    expect(text).not.toMatch(/zod|smol-toml/i);
    expect(text.length).toBeLessThan(20_000);
  });

  test("deny core dumps, and need nothing that only some hosts have", () => {
    for (const policy of Object.values(shippedPolicies)) {
      expect(policy.limits.coreBytes).toBe(0);
      expect([policy.resources.cpuShares, policy.resources.cpus, policy.resources.ioWeight]).toEqual([
        null,
        null,
        null,
      ]);
      expect(policy.enforcement.require).toBe("any");
      expect(policy.syscalls).toMatchObject({ profile: "default", allow: [] });
    }
  });

  test("let no variable through that a secret could be in", () => {
    const harmless = /^(LANG|LANGUAGE|LC_[A-Z]+|TERM|COLORTERM|NO_COLOR|TZ)$/;
    for (const policy of Object.values(shippedPolicies)) {
      expect(policy.env.pass.filter((name) => !harmless.test(name))).toEqual([]);
      expect(policy.env.set).toEqual({});
    }
  });
});

describe("what each is for", () => {
  test("task: no network, no capabilities, 4Gi, 512 processes, 8192 files, 1Gi of scratch, 1h", () => {
    const task = shipped("task");
    expect(task.zone.type).toBe("non-global");
    expect(task.network.mode).toBe("none");
    expect(task.capabilities.allowed).toEqual([]);
    expect(task.resources).toMatchObject({ memoryLimitBytes: 4 * GiB, pidsMax: 512 });
    expect(task.limits).toMatchObject({ walltimeMs: 3_600_000, nofile: 8192 });
    expect(task.filesystem).toMatchObject({ root: "host", tmpSizeBytes: GiB, tmpInodes: 262_144, readablePaths: [] });
    expect(task.devices.allowed).toEqual(
      ["null", "zero", "full", "random", "urandom", "tty"].map((name) => `/dev/${name}`),
    );
  });

  test("build: task, and the package registries", () => {
    const { network, name: _n, hash: _h, places: _p, ...rest } = shipped("build");
    expect(network).toEqual({
      ...shipped("task").network,
      mode: "filtered",
      allowedDomains: ["@npm", "@pypi", "@crates", "@go", "@debian"],
    });
    expect(shipped("task")).toMatchObject(rest);
  });

  test("standard: seven capabilities, bridged, the web, 4Gi, 512 processes", () => {
    const standard = shipped("standard");
    expect(standard.capabilities.allowed).toHaveLength(7);
    expect(standard.network).toMatchObject({ mode: "bridged", allowedEgress: ["0.0.0.0/0:443", "0.0.0.0/0:80"] });
    expect(standard.resources).toMatchObject({ memoryLimitBytes: 4 * GiB, pidsMax: 512 });
    expect(standard.filesystem.writablePaths).toEqual(["/data", "/tmp", "/var/log", "/var/run"]);
  });

  test("strict: no capabilities, isolated, 1Gi, 128 processes, /tmp, nobody looks into another", () => {
    const strict = shipped("strict");
    expect(strict.capabilities.allowed).toEqual([]);
    expect(strict.network.mode).toBe("none");
    expect(strict.resources).toMatchObject({ memoryLimitBytes: GiB, pidsMax: 128 });
    expect(strict.filesystem.writablePaths).toEqual(["/tmp"]);
    for (const name of ["ptrace", "process_vm_readv", "process_vm_writev"])
      expect(strict.syscalls.deny).toContain(name);
  });

  test("privileged: the host's network, 8Gi, 4096 processes, not what undoes the host", () => {
    const privileged = shipped("privileged");
    expect(privileged.zone.type).toBe("privileged");
    expect(privileged.network).toMatchObject({ mode: "host", allowedEgress: [], allowedDomains: [] });
    expect(privileged.resources).toMatchObject({ memoryLimitBytes: 8 * GiB, pidsMax: 4096 });
    expect(privileged.capabilities.allowed.filter((name) => !capabilityNames.includes(name))).toEqual([]);
    const undoing = [
      "CAP_SYS_MODULE",
      "CAP_SYS_RAWIO",
      "CAP_SYS_BOOT",
      "CAP_BPF",
      "CAP_MAC_ADMIN",
      "CAP_MAC_OVERRIDE",
      "CAP_SYSLOG",
    ];
    expect(privileged.capabilities.allowed.filter((name) => undoing.includes(name))).toEqual([]);
  });
});
