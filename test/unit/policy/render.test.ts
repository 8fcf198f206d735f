import { describe, expect, test } from "bun:test";
import { policyKeys } from "../../../src/run/policy/key-table.ts";
import { parsePolicy } from "../../../src/run/policy/parse.ts";
import { renderPolicy } from "../../../src/run/policy/render.ts";
import { shippedPolicies } from "../../../src/run/policy/shipped.gen.ts";
import { Random } from "./random.ts";
import { randomPolicy } from "./random-policies.ts";
import { mistakesIn, options, policyOf } from "./reading.ts";

describe("a policy as TOML", () => {
  test("says every key, with the place of those that a file said", () => {
    const policy = policyOf(
      'extends = "build"\n[network]\nmode = "none"\n[env]\nset = { A = "1", B = "é\\u007f\\n" }\n[filesystem]\nwritable_paths = ["/tmp", "/x/"]\n[limits]\nnofile = "unlimited"\n',
    );
    const pass = policy.env.pass.map((name) => `  "${name}",\n`).join("");
    expect(renderPolicy(policy)).toBe(`# Policy p, ${policy.hash}
# Extends build: what has no file and line beside it, that policy says.

[zone]
name = "p"
type = "non-global"

[capabilities]
allowed = []

[resources]
# cpu_shares is not set
# cpus is not set
memory_limit = "4Gi"
# io_weight is not set
pids_max = 512

[limits]
walltime = "1h"
# cpu is not set
# as is not set
# fsize is not set
# nofile is not set # p.toml:9
core = "0"

[network]
mode = "none" # p.toml:3
allowed_zones = []
allowed_egress = []
allowed_ingress = []
allowed_domains = []
denied_domains = []

[filesystem]
root = "host"
readable_paths = []
writable_paths = ["/tmp", "/x"] # p.toml:7
denied_paths = []
allowed_sockets = []
shared_layers = true
tmp_size = "1Gi"
tmp_inodes = 262144

[image]
layer_size = "64Gi"
layer_entries = 2000000
layer_ratio = 300

[devices]
allowed = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"]

[syscalls]
profile = "default"
deny = []
allow = []

[env]
pass = [
${pass}]

[env.set]
A = "1" # p.toml:5
B = "é\\u007f\\n" # p.toml:5

[enforcement]
require = "any"
`);
  });

  test.each(Object.values(shippedPolicies).map((policy) => [policy.name, policy] as const))(
    "%s reads back",
    (_, policy) => {
      const text = renderPolicy(policy);
      const again = policyOf(text);
      expect({ ...again, base: undefined, places: {} }).toEqual({ ...policy, base: undefined, places: {} });
      expect(text).not.toContain("Extends");
      for (const [section, keys] of policyKeys) {
        expect(text).toContain(`\n[${section}]\n`);
        for (const key of keys) expect(text).toMatch(new RegExp(`^(# )?(\\[env\\.)?${key}( |\\]$)`, "m"));
      }
    },
  );

  test("a long list stands on lines of its own, its place where it opens", () => {
    const names = Array.from({ length: 20 }, (_, i) => `"VARIABLE_${i}"`);
    const text = renderPolicy(policyOf(`env.pass = [${names.join(",")}]`));
    expect(text).toContain('pass = [ # p.toml:1\n  "VARIABLE_0",\n');
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(130);
  });

  test("a file's name can't end its comment", () => {
    const outcome = parsePolicy("resources.pids_max = 9", options({}, "a\nb\u007f.toml"));
    if (!outcome.ok) throw new Error("was refused");
    expect(renderPolicy(outcome.policy)).toContain("pids_max = 9 # a?b?.toml:1\n");
    expect(mistakesIn(renderPolicy(outcome.policy))).toEqual([]);
  });

  test("a duration reads back to the millisecond, though binary fractions are not exact", () => {
    for (let ms = 1; ms < 20_000; ms += 7) {
      const policy = policyOf(`limits.walltime = "${ms}ms"`);
      expect(policy.limits.walltimeMs).toBe(ms);
      expect(policyOf(renderPolicy(policy)).limits.walltimeMs).toBe(ms);
    }
  });

  test("any policy reads back as the same rules", () => {
    const hashes = new Set<string>();
    for (let seed = 0; seed < 800; seed++) {
      const text = randomPolicy(new Random(seed));
      expect(mistakesIn(text), `seed ${seed}\n${text}`).toEqual([]);
      const policy = policyOf(text);
      const again = policyOf(renderPolicy(policy));
      expect<unknown>({ ...again, places: {}, base: policy.base }, text).toEqual({ ...policy, places: {} });
      expect(again.hash).toBe(policy.hash);
      expect(renderPolicy({ ...again, places: {}, base: undefined })).toBe(
        renderPolicy({ ...policy, places: {}, base: undefined }),
      );
      hashes.add(policy.hash);
    }
    expect(hashes.size).toBeGreaterThan(600);
  });

  test("any place is where its key is", () => {
    for (let seed = 0; seed < 300; seed++) {
      const text = randomPolicy(new Random(seed));
      const lines = text.split("\n");
      for (const [path, { file, line, column }] of Object.entries(policyOf(text).places)) {
        const here = lines[line - 1]?.slice(column - 1) ?? "";
        const key = /(\w+)$/.exec(path)?.[1];
        const starts = key === undefined ? [`"`] : [key, `set.${key}`];
        expect(file).toBe("p.toml");
        expect(
          starts.some((start) => here.startsWith(start)),
          `${path} at ${line}:${column} of\n${text}`,
        ).toBe(true);
      }
    }
  });
});
