import { expect, test } from "bun:test";
import { canonicalJson, hashRules } from "../../../src/run/policy/hash.ts";
import { policyKeys } from "../../../src/run/policy/key-table.ts";
import { policyOf, sha256 } from "./reading.ts";

test("canonical JSON has one text for one value", () => {
  expect(canonicalJson({ b: [1, { d: null, c: "é\n" }], a: true, A: 0.5 })).toBe(
    '{"A":0.5,"a":true,"b":[1,{"c":"é\\n","d":null}]}',
  );
  expect(canonicalJson([])).toBe("[]");
  expect(canonicalJson({})).toBe("{}");
  expect(canonicalJson("x")).toBe('"x"');
});

test("the hash is of the rules' canonical JSON", () => {
  const { name: _n, hash, base: _b, places: _p, ...rules } = policyOf("resources.pids_max = 9");
  expect(hash).toBe(`sha256:${sha256(new TextEncoder().encode(canonicalJson(rules)))}`);
  expect(hash).toBe(hashRules(rules, sha256));
  expect(Object.keys(rules).toSorted()).toEqual([...policyKeys.keys()].toSorted());
});

test("neither the name, nor the file, nor the way of writing changes it", () => {
  const { hash } = policyOf("resources.pids_max = 9");
  expect(policyOf("\n\n[resources]\npids_max = 9 # nine").hash).toBe(hash);
  expect(policyOf('zone.name = "x"\nresources.pids_max = 9').hash).toBe(hash);
  expect(policyOf('extends = "./a.toml"', { "./a.toml": "resources.pids_max = 9" }).hash).toBe(hash);
});

test("every rule changes it", () => {
  const texts = [
    "",
    'zone.type = "privileged"',
    'capabilities.allowed = ["CAP_KILL"]',
    "resources.cpu_shares = 9",
    "resources.cpus = 9",
    "resources.memory_limit = '9Mi'",
    "resources.io_weight = 9",
    "resources.pids_max = 9",
    "limits.walltime = 9",
    "limits.cpu = 9",
    "limits.as = '99Mi'",
    "limits.fsize = 9",
    "limits.nofile = 99",
    "limits.core = 9",
    'network.mode = "filtered"',
    'network.allowed_zones = ["a"]',
    'network.denied_domains = ["a"]',
    'network = { mode = "filtered", allowed_domains = ["a"] }',
    'network = { mode = "filtered", allowed_egress = ["1.1.1.1:1"] }',
    'network = { mode = "bridged", allowed_ingress = ["1.1.1.1:1"] }',
    'filesystem.root = "empty"',
    'filesystem.readable_paths = ["/a"]',
    'filesystem.writable_paths = ["/a"]',
    'filesystem.denied_paths = ["/a"]',
    'filesystem.allowed_sockets = ["/a"]',
    "filesystem.shared_layers = true",
    'filesystem.tmp_size = "9Mi"',
    "filesystem.tmp_inodes = 9999",
    "image.layer_size = '1Gi'",
    "image.layer_entries = 99",
    "image.layer_ratio = 9",
    'devices.allowed = ["/dev/a"]',
    'syscalls.profile = "/a"',
    'syscalls.deny = ["a"]',
    'syscalls.allow = ["a"]',
    'env.pass = ["A"]',
    'env.set.A = ""',
    'enforcement.require = "landlock"',
  ];
  expect(new Set(texts.map((text) => policyOf(text).hash)).size).toBe(texts.length);
});
