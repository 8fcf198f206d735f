import { describe, expect, test } from "bun:test";
import { policyKeys, sectionsWith, topLevelKeys } from "../../../src/run/policy/key-table.ts";
import { policyOf } from "./reading.ts";

const get = (text: string, path: string): unknown =>
  path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], policyOf(text));

describe("a policy that says nothing", () => {
  test("permits nothing, and limits nothing but its scratch space", () => {
    expect(policyOf("")).toEqual({
      name: "p",
      hash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      zone: { type: "non-global" },
      capabilities: { allowed: [] },
      resources: { cpuShares: null, cpus: null, memoryLimitBytes: null, ioWeight: null, pidsMax: null },
      limits: { walltimeMs: 0, cpuSeconds: null, asBytes: null, fsizeBytes: null, nofile: null, coreBytes: null },
      network: {
        mode: "none",
        allowedZones: [],
        allowedEgress: [],
        allowedIngress: [],
        allowedDomains: [],
        deniedDomains: [],
      },
      filesystem: {
        root: "host",
        readablePaths: [],
        writablePaths: [],
        deniedPaths: [],
        allowedSockets: [],
        sharedLayers: false,
        tmpSizeBytes: 1024 ** 3,
        tmpInodes: 262_144,
      },
      image: { layerSizeBytes: 64 * 1024 ** 3, layerEntries: 2_000_000, layerRatio: 300 },
      devices: { allowed: [] },
      syscalls: { profile: "default", deny: [], allow: [] },
      env: { pass: [], set: {} },
      enforcement: { require: "any" },
      base: undefined,
      places: {},
    });
  });

  test("is the same with empty sections and comments", () => {
    const { hash } = policyOf("");
    expect(policyOf("# nothing\n[zone]\n[network]\n[env]\n[env.set]\n").hash).toBe(hash);
  });
});

describe("every key", () => {
  const values: readonly (readonly [path: string, toml: string, field: string, value: unknown])[] = [
    ["zone.name", '"web-1.x_y"', "name", "web-1.x_y"],
    ["zone.type", '"privileged"', "zone.type", "privileged"],
    ["capabilities.allowed", '["CAP_CHOWN", "CAP_BPF"]', "capabilities.allowed", ["CAP_CHOWN", "CAP_BPF"]],
    ["resources.cpu_shares", "2", "resources.cpuShares", 2],
    ["resources.cpu_shares", "262144", "resources.cpuShares", 262144],
    ["resources.cpus", "1.5", "resources.cpus", 1.5],
    ["resources.cpus", "2", "resources.cpus", 2],
    ["resources.cpus", "0.01", "resources.cpus", 0.01],
    ["resources.memory_limit", '"4Gi"', "resources.memoryLimitBytes", 4 * 1024 ** 3],
    ["resources.memory_limit", "1073741824", "resources.memoryLimitBytes", 1024 ** 3],
    ["resources.memory_limit", '"6Mi"', "resources.memoryLimitBytes", 6 * 1024 ** 2],
    ["resources.io_weight", "10000", "resources.ioWeight", 10_000],
    ["resources.pids_max", "2", "resources.pidsMax", 2],
    ["resources.pids_max", "512.0", "resources.pidsMax", 512],
    ["limits.walltime", '"1h30m"', "limits.walltimeMs", 5_400_000],
    ["limits.walltime", "90", "limits.walltimeMs", 90_000],
    ["limits.walltime", "0.25", "limits.walltimeMs", 250],
    ["limits.walltime", "0", "limits.walltimeMs", 0],
    ["limits.cpu", '"5m"', "limits.cpuSeconds", 300],
    ["limits.cpu", "1", "limits.cpuSeconds", 1],
    ["limits.as", '"8Gi"', "limits.asBytes", 8 * 1024 ** 3],
    ["limits.fsize", "0", "limits.fsizeBytes", 0],
    ["limits.nofile", "1024", "limits.nofile", 1024],
    ["limits.core", '"0"', "limits.coreBytes", 0],
    ["network.mode", '"isolated"', "network.mode", "none"],
    ["network.mode", '"filtered"', "network.mode", "filtered"],
    ["network.mode", '"bridged"', "network.mode", "bridged"],
    ["network.allowed_zones", '["db", "cache.1"]', "network.allowedZones", ["db", "cache.1"]],
    ["network.denied_domains", '["*.Example.ORG"]', "network.deniedDomains", ["*.example.org"]],
    ["filesystem.root", '"empty"', "filesystem.root", "empty"],
    ["filesystem.root", '"image"', "filesystem.root", "image"],
    ["filesystem.readable_paths", '["/opt/data/", "/srv"]', "filesystem.readablePaths", ["/opt/data", "/srv"]],
    ["filesystem.writable_paths", '["/tmp"]', "filesystem.writablePaths", ["/tmp"]],
    ["filesystem.denied_paths", '["/etc/shadow"]', "filesystem.deniedPaths", ["/etc/shadow"]],
    ["filesystem.allowed_sockets", '["/run/x.sock"]', "filesystem.allowedSockets", ["/run/x.sock"]],
    ["filesystem.shared_layers", "true", "filesystem.sharedLayers", true],
    ["filesystem.tmp_size", '"1Mi"', "filesystem.tmpSizeBytes", 1024 ** 2],
    ["filesystem.tmp_inodes", "1024", "filesystem.tmpInodes", 1024],
    ["image.layer_size", '"1.5Gi"', "image.layerSizeBytes", 1.5 * 1024 ** 3],
    ["image.layer_size", '"1Mi"', "image.layerSizeBytes", 1024 ** 2],
    ["image.layer_entries", "1", "image.layerEntries", 1],
    ["image.layer_ratio", "1000000", "image.layerRatio", 1_000_000],
    ["devices.allowed", '["/dev/null", "/dev/dri/card0"]', "devices.allowed", ["/dev/null", "/dev/dri/card0"]],
    ["syscalls.profile", '"default"', "syscalls.profile", "default"],
    ["syscalls.profile", '"/opt/p.json"', "syscalls.profile", "/opt/p.json"],
    ["syscalls.profile", '"p.json"', "syscalls.profile", "/etc/rauha/p.json"],
    ["syscalls.profile", '"../x/./p"', "syscalls.profile", "/etc/x/p"],
    ["syscalls.deny", '["ptrace", "_sysctl"]', "syscalls.deny", ["ptrace", "_sysctl"]],
    ["syscalls.allow", '["clone3"]', "syscalls.allow", ["clone3"]],
    ["env.pass", '["LANG", "_x1"]', "env.pass", ["LANG", "_x1"]],
    ["env.set", '{ A = "1", B_2 = "" }', "env.set", { A: "1", B_2: "" }],
    ["enforcement.require", '"bpf-lsm"', "enforcement.require", "bpf-lsm"],
    ["enforcement.require", '"landlock"', "enforcement.require", "landlock"],
  ];

  test.each(values)("%s = %s", (path, toml, field, value) => {
    const [section, key] = path.split(".");
    expect(get(`[${section}]\n${key} = ${toml}`, field)).toEqual(value);
  });

  test("is tried above or below", () => {
    const tried = new Set([
      ...values.map(([path]) => path),
      "network.allowed_egress",
      "network.allowed_ingress",
      "network.allowed_domains",
    ]);
    const all = [...policyKeys].flatMap(([section, keys]) => keys.map((key) => `${section}.${key}`));
    expect(all.filter((key) => !tried.has(key))).toEqual([]);
    expect(topLevelKeys).toEqual(["extends", ...policyKeys.keys()]);
  });

  test("that belongs to a mode of the network, in that mode", () => {
    const filtered = '[network]\nmode = "filtered"\nallowed_domains = ["Example.org", "*.a.b", "@npm", "*"]\n';
    expect(get(filtered, "network.allowedDomains")).toEqual(["example.org", "*.a.b", "@npm", "*"]);
    const bridged =
      '[network]\nmode = "bridged"\nallowed_egress = ["10.0.0.5/32:443"]\nallowed_ingress = ["[::]/0:80-90"]\n';
    expect(get(bridged, "network.allowedEgress")).toEqual(["10.0.0.5:443"]);
    expect(get(bridged, "network.allowedIngress")).toEqual(["[::/0]:80-90"]);
    expect(get('[zone]\ntype = "privileged"\n[network]\nmode = "host"', "network.mode")).toBe("host");
  });

  test.each([
    ["resources", "cpu_shares"],
    ["resources", "cpus"],
    ["resources", "memory_limit"],
    ["resources", "io_weight"],
    ["resources", "pids_max"],
    ["limits", "walltime"],
    ["limits", "cpu"],
    ["limits", "as"],
    ["limits", "fsize"],
    ["limits", "nofile"],
    ["limits", "core"],
  ])("%s.%s can be unlimited", (section, key) => {
    const { resources, limits } = policyOf(`extends = "strict"\n[${section}]\n${key} = "unlimited"`);
    const fields: Readonly<Record<string, number | null>> = {
      cpu_shares: resources.cpuShares,
      cpus: resources.cpus,
      memory_limit: resources.memoryLimitBytes,
      io_weight: resources.ioWeight,
      pids_max: resources.pidsMax,
      walltime: limits.walltimeMs === 0 ? null : limits.walltimeMs,
      cpu: limits.cpuSeconds,
      as: limits.asBytes,
      fsize: limits.fsizeBytes,
      nofile: limits.nofile,
      core: limits.coreBytes,
    };
    expect(fields[key]).toBeNull();
  });
});

describe("ways to write a key", () => {
  test("dotted, inline, quoted: the same policy", () => {
    const { hash } = policyOf('[resources]\nmemory_limit = "1Gi"\n[env]\nset = { A = "1" }');
    expect(policyOf('resources.memory_limit = "1Gi"\nenv.set.A = "1"').hash).toBe(hash);
    expect(policyOf('resources = { "memory_limit" = "1024Mi" }\n[env.set]\nA = """1"""').hash).toBe(hash);
  });

  test("a unit and a number are the same limit", () => {
    expect(policyOf('limits.walltime = "1m"').hash).toBe(policyOf("limits.walltime = 60").hash);
  });

  test("sections that have a key of a name are known", () => {
    expect(sectionsWith("allowed")).toEqual(["capabilities", "devices"]);
    expect(sectionsWith("memory_limit")).toEqual(["resources"]);
    expect(sectionsWith("constructor")).toEqual([]);
  });
});
