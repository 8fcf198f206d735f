import { describe, expect, test } from "bun:test";
import { mistakesIn } from "./reading.ts";

/** One key wrong: where, what was expected, and how to fix it. The key stands on line 2, its value at the column given. */
function mistake(path: string, toml: string): string[] {
  const [section, key] = path.split(".");
  return mistakesIn(`[${section}]\n${key} = ${toml}\n`).map((line) => line.replace("p.toml:2:", ""));
}

describe("wrong words", () => {
  test.each([
    [
      "zone.type",
      '"nonglobal"',
      '8 zone.type: expected "non-global" or "privileged", found "nonglobal" (did you mean "non-global"?)',
    ],
    ["zone.type", '"x"', '8 zone.type: expected "non-global" or "privileged", found "x"'],
    ["zone.type", "1", '8 zone.type: expected "non-global" or "privileged", found 1'],
    [
      "network.mode",
      '"flitered"',
      '8 network.mode: expected "none", "isolated", "filtered", "bridged" or "host", found "flitered" (did you mean "filtered"?)',
    ],
    [
      "network.mode",
      "false",
      '8 network.mode: expected "none", "isolated", "filtered", "bridged" or "host", found false',
    ],
    [
      "filesystem.root",
      '"hos"',
      '8 filesystem.root: expected "host", "image" or "empty", found "hos" (did you mean "host"?)',
    ],
    ["filesystem.root", '["host"]', '8 filesystem.root: expected "host", "image" or "empty", found a list'],
    [
      "enforcement.require",
      '"bpf"',
      '11 enforcement.require: expected "any", "landlock" or "bpf-lsm", found "bpf" (did you mean "bpf-lsm"?)',
    ],
    [
      "filesystem.shared_layers",
      '"true"',
      '17 filesystem.shared_layers: expected true or false, found "true" (write it without quotes)',
    ],
    ["filesystem.shared_layers", "1", "17 filesystem.shared_layers: expected true or false, found 1"],
  ])("%s = %s", (path, toml, line) => {
    expect(mistake(path, toml)).toEqual([line]);
  });
});

describe("wrong quantities", () => {
  const size = 'expected a size such as "512Mi", "4Gi" or a number of bytes';
  const duration = 'expected a duration such as "30s", "5m", "1h30m" or a number of seconds';
  test.each([
    ["resources.memory_limit", '"4 GB"', `16 resources.memory_limit: ${size}, found "4 GB"`],
    ["resources.memory_limit", "1.5", `16 resources.memory_limit: ${size}, found 1.5`],
    ["resources.memory_limit", "nan", `16 resources.memory_limit: ${size}, found nan`],
    ["resources.memory_limit", "1979-05-27", `16 resources.memory_limit: ${size}, found a date`],
    ["resources.memory_limit", "{ a = 1 }", `16 resources.memory_limit: ${size}, found a table`],
    ["resources.memory_limit", '"5Mi"', '16 resources.memory_limit: "5Mi" is too little: expected at least 6Mi'],
    ["resources.memory_limit", "0", "16 resources.memory_limit: 0 is too little: expected at least 6Mi"],
    ["resources.memory_limit", "-1", "16 resources.memory_limit: -1 is too little: expected at least 6Mi"],
    ["resources.memory_limit", '"99999999T"', `16 resources.memory_limit: ${size}, found "99999999T"`],
    ["limits.as", '"1Mi"', '6 limits.as: "1Mi" is too little: expected at least 16Mi'],
    ["limits.core", "-1", "8 limits.core: -1 is too little: expected at least 0"],
    ["filesystem.tmp_size", '"0"', '12 filesystem.tmp_size: "0" is too little: expected at least 1Mi'],
    ["filesystem.tmp_size", '"unlimited"', `12 filesystem.tmp_size: ${size}, found "unlimited"`],
    ["image.layer_size", '"unlimited"', `14 image.layer_size: ${size}, found "unlimited"`],
    ["image.layer_entries", "0", "17 image.layer_entries: 0 is too little: expected at least 1"],
    [
      "image.layer_ratio",
      '"300"',
      '15 image.layer_ratio: expected a whole number from 1 to 1000000, found "300" (write it without quotes)',
    ],
    ["filesystem.tmp_inodes", "0", "14 filesystem.tmp_inodes: 0 is too little: expected at least 1024"],
    ["resources.pids_max", "1", "12 resources.pids_max: 1 is too little: expected at least 2"],
    ["resources.pids_max", "4194305", "12 resources.pids_max: 4194305 is too much: expected at most 4194304"],
    [
      "resources.pids_max",
      '"512"',
      '12 resources.pids_max: expected a whole number from 2 to 4194304, found "512" (write it without quotes)',
    ],
    ["resources.pids_max", "2.5", "12 resources.pids_max: expected a whole number from 2 to 4194304, found 2.5"],
    ["resources.pids_max", "true", "12 resources.pids_max: expected a whole number from 2 to 4194304, found true"],
    ["resources.cpu_shares", "1", "14 resources.cpu_shares: 1 is too little: expected at least 2"],
    ["resources.cpu_shares", "262145", "14 resources.cpu_shares: 262145 is too much: expected at most 262144"],
    ["resources.cpus", "0", "8 resources.cpus: 0 is too little: expected at least 0.01"],
    ["resources.cpus", "-inf", "8 resources.cpus: expected a number from 0.01 to 8192, found -inf"],
    [
      "resources.cpus",
      '"1.5"',
      '8 resources.cpus: expected a number from 0.01 to 8192, found "1.5" (write it without quotes)',
    ],
    ["resources.io_weight", "0", "13 resources.io_weight: 0 is too little: expected at least 1"],
    ["limits.walltime", '"1 hour"', `12 limits.walltime: ${duration}, found "1 hour"`],
    ["limits.walltime", "-1", `12 limits.walltime: ${duration}, found -1`],
    ["limits.walltime", "inf", `12 limits.walltime: ${duration}, found inf`],
    ["limits.walltime", "1e300", `12 limits.walltime: ${duration}, found 1e+300`],
    ["limits.walltime", "07:32:00", `12 limits.walltime: ${duration}, found a date`],
    ["limits.cpu", '"1500ms"', '7 limits.cpu: expected whole seconds, found "1500ms"'],
    ["limits.cpu", "0", "7 limits.cpu: 0 is too little: expected at least 1 s"],
    ["limits.nofile", "3", "10 limits.nofile: 3 is too little: expected at least 32"],
  ])("%s = %s", (path, toml, line) => {
    expect(mistake(path, toml)).toEqual([line]);
  });
});

describe("wrong names", () => {
  const capability = "capabilities.allowed";
  test.each([
    [
      capability,
      '["cap_chown"]',
      '12 capabilities.allowed[0]: "cap_chown" is not a capability of capabilities(7) (write "CAP_CHOWN")',
    ],
    [
      capability,
      '["net_admin"]',
      '12 capabilities.allowed[0]: "net_admin" is not a capability of capabilities(7) (write "CAP_NET_ADMIN")',
    ],
    [
      capability,
      '["CAP_KILL", "CAP_CHWON"]',
      '24 capabilities.allowed[1]: "CAP_CHWON" is not a capability of capabilities(7) (did you mean "CAP_CHOWN"?)',
    ],
    [
      capability,
      '["CAP_NET_BIND"]',
      '12 capabilities.allowed[0]: "CAP_NET_BIND" is not a capability of capabilities(7) (did you mean "CAP_NET_BIND_SERVICE"?)',
    ],
    [
      capability,
      '["ALL"]',
      '12 capabilities.allowed[0]: "ALL" is not a capability of capabilities(7) (there is no word for all of them: list each, as the shipped policy privileged does)',
    ],
    [
      capability,
      '["everything at once"]',
      '12 capabilities.allowed[0]: "everything at once" is not a capability of capabilities(7) (for example "CAP_NET_BIND_SERVICE")',
    ],
    [capability, "[1]", "12 capabilities.allowed[0]: expected the name of a capability, found 1"],
    [capability, '"CAP_CHOWN"', '11 capabilities.allowed: expected a list such as ["…"], found "CAP_CHOWN"'],
    [
      "syscalls.deny",
      '["Ptrace"]',
      '9 syscalls.deny[0]: "Ptrace" is not the name of a system call (for example "ptrace")',
    ],
    [
      "syscalls.deny",
      '["101"]',
      '9 syscalls.deny[0]: "101" is not the name of a system call (numbers differ between architectures: give the name)',
    ],
    ["syscalls.allow", "[true]", "10 syscalls.allow[0]: expected the name of a system call, found true"],
    [
      "env.pass",
      '["LC_*"]',
      '9 env.pass[0]: "LC_*" is not the name of an environment variable (there are no patterns: a policy lists every variable that enters the zone)',
    ],
    [
      "env.pass",
      '["A=1"]',
      '9 env.pass[0]: "A=1" is not the name of an environment variable (to set a value, use env.set)',
    ],
    [
      "env.pass",
      '["2A"]',
      '9 env.pass[0]: "2A" is not the name of an environment variable (letters, digits and underscores, no digit first)',
    ],
    [
      "env.set",
      '{ OK = "1", "A B" = "2" }',
      '19 env.set."A B": "A B" is not the name of an environment variable (letters, digits and underscores, no digit first)',
    ],
    ["env.set", "{ CI = 1 }", "14 env.set.CI: expected text, found 1"],
    ["env.set", '{ CI = "a\\u0000b" }', "14 env.set.CI: a NUL byte in the value"],
    ["env.set", '["A=1"]', '7 env.set: expected a table such as { CI = "1" }, found a list'],
    [
      "network.allowed_zones",
      '["-x"]',
      '18 network.allowed_zones[0]: "-x" is not a name (1 to 128 letters, digits, `_`, `.` and `-`; a letter or digit first)',
    ],
    [
      "zone.name",
      '""',
      '8 zone.name: "" is not a name (1 to 128 letters, digits, `_`, `.` and `-`; a letter or digit first)',
    ],
  ])("%s = %s", (path, toml, line) => {
    expect(mistake(path, toml)).toEqual([line]);
  });
});

describe("wrong paths", () => {
  const list = "filesystem.readable_paths";
  test.each([
    [
      list,
      '["etc"]',
      '19 filesystem.readable_paths[0]: "etc" is not an absolute path (a path of a policy begins with /)',
    ],
    [
      list,
      '["~/x"]',
      '19 filesystem.readable_paths[0]: "~/x" is not an absolute path (~ is not expanded: write the directory out)',
    ],
    [list, '[""]', '19 filesystem.readable_paths[0]: "" is not an absolute path (a path of a policy begins with /)'],
    [list, '["/a/../b"]', '19 filesystem.readable_paths[0]: "/a/../b" has a ".." in it (write "/b")'],
    [list, '["/.."]', '19 filesystem.readable_paths[0]: "/.." has a ".." in it (write "/")'],
    [list, '["/a//b"]', '19 filesystem.readable_paths[0]: "/a//b" has an empty or "." part (write "/a/b")'],
    [list, '["/a/./b"]', '19 filesystem.readable_paths[0]: "/a/./b" has an empty or "." part (write "/a/b")'],
    [list, '["/a//"]', '19 filesystem.readable_paths[0]: "/a//" has an empty or "." part (write "/a")'],
    [list, '["/a\\u0000"]', '19 filesystem.readable_paths[0]: "/a\\u0000" has a NUL byte'],
    [list, `["/${"é".repeat(2048)}"]`, "19 filesystem.readable_paths[0]: the path is longer than 4095 bytes"],
    [list, "[[]]", "19 filesystem.readable_paths[0]: expected an absolute path below /, found a list"],
    [
      "devices.allowed",
      '["/tmp/x"]',
      '12 devices.allowed[0]: "/tmp/x" is not a device below /dev (for example "/dev/fuse")',
    ],
    [
      "devices.allowed",
      '["/dev"]',
      '12 devices.allowed[0]: "/dev" is not a device below /dev (for example "/dev/fuse")',
    ],
    ["devices.allowed", '["/dev/../x"]', '12 devices.allowed[0]: "/dev/../x" has a ".." in it (write "/x")'],
    [
      "syscalls.profile",
      '"defualt"',
      '11 syscalls.profile: "defualt" is not "default" or the path of a seccomp profile (for a file write "./defualt")',
    ],
    ["syscalls.profile", '"/a/../b.json"', '11 syscalls.profile: "/a/../b.json" has a ".." in it (write "/b.json")'],
    [
      "syscalls.profile",
      "{}",
      '11 syscalls.profile: expected "default" or the path of a seccomp profile, found a table',
    ],
  ])("%s = %s", (path, toml, line) => {
    expect(mistake(path, toml)).toEqual([line]);
  });
});

describe("unknown keys", () => {
  test.each([
    [
      "[resources]\nmemmory_limit = 1",
      'p.toml:2:1 resources.memmory_limit: unknown key "memmory_limit" in [resources] (did you mean "memory_limit"?)',
    ],
    [
      "[resources]\nwalltime = 1",
      'p.toml:2:1 resources.walltime: unknown key "walltime" in [resources] (walltime belongs in [limits])',
    ],
    [
      'memory_limit = "1Gi"',
      'p.toml:1:1 memory_limit: unknown key "memory_limit" (memory_limit belongs in [resources])',
    ],
    ["[resource]\npids_max = 2", 'p.toml:1:2 resource: unknown section [resource] (did you mean "resources"?)'],
    ["  [netwrok]", 'p.toml:1:4 netwrok: unknown section [netwrok] (did you mean "network"?)'],
    ['exends = "task"', 'p.toml:1:1 exends: unknown key "exends" (did you mean "extends"?)'],
    ["[zone]\nxyzzyxyzzy = 1", 'p.toml:2:1 zone.xyzzyxyzzy: unknown key "xyzzyxyzzy" in [zone] (expected name, type)'],
    [
      "[completely_else]",
      "p.toml:1:2 completely_else: unknown section [completely_else] (expected [zone], [capabilities], [resources], [limits], [network], [filesystem], [image], [devices], [syscalls], [env], [enforcement])",
    ],
    ["env.sat.A = '1'", 'p.toml:1:5 env.sat: unknown key "sat" in [env] (did you mean "set"?)'],
    ['zone = { tpye = "x" }', 'p.toml:1:10 zone.tpye: unknown key "tpye" in [zone] (did you mean "type"?)'],
    ['["zone"]\n"na me" = 1', 'p.toml:2:1 zone."na me": unknown key "na me" in [zone] (did you mean "name"?)'],
    ["[[zone]]\nname = 'x'", "p.toml:1:3 zone: expected a table, found a list"],
    ["zone = 'x'", 'p.toml:1:8 zone: expected a table, found "x"'],
  ])("%s", (text, line) => {
    expect(mistakesIn(text)).toEqual([line]);
  });

  test("that are long are shortened", () => {
    const key = "k".repeat(1000);
    const [line = ""] = mistakesIn(`[zone]\n${key} = 1`);
    expect(line).toContain(`unknown key "${"k".repeat(60)}… (1000 characters)" in [zone] (expected name, type)`);
    expect(mistakesIn(`[zone]\nname = "${"n".repeat(1000)}"`)[0]).toContain(
      `"${"n".repeat(60)}… (1000 characters)" is not a name`,
    );
  });

  test("of every object are not keys of a policy", () => {
    for (const key of ["toString", "hasOwnProperty", "valueOf"]) {
      expect(mistakesIn(`${key} = 1`)[0]).toStartWith(`p.toml:1:1 ${key}: unknown key "${key}"`);
      expect(mistakesIn(`[zone]\n${key} = 1`)[0]).toStartWith(`p.toml:2:1 zone.${key}: unknown key "${key}" in [zone]`);
    }
    expect(mistakesIn("[env.set]\n__proto__ = '1'")[0]).toStartWith(
      "p.toml:2:1: not TOML: document contains an unsafe property",
    );
    expect(mistakesIn("__proto__.zone = 1")).toHaveLength(1);
  });
});
