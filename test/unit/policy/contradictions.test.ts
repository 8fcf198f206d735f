import { describe, expect, test } from "bun:test";
import { mistakesIn, policyOf } from "./reading.ts";

describe("the network's mode", () => {
  test("host is for privileged policies", () => {
    const hint = '(set zone.type = "privileged", or network.mode = "bridged")';
    expect(mistakesIn('[network]\nmode = "host"')).toEqual([
      `p.toml:2:8 network.mode: network.mode = "host" needs zone.type = "privileged", and zone.type is not that ${hint}`,
    ]);
    expect(mistakesIn('[network]\nmode = "host"\n[zone]\ntype = "non-global"')).toEqual([
      `p.toml:2:8 network.mode: network.mode = "host" needs zone.type = "privileged", and zone.type is non-global, not that ${hint}`,
    ]);
    expect(mistakesIn('extends = "privileged"\nzone.type = "non-global"')).toEqual([
      `p.toml:2:13 zone.type: network.mode = "host" needs zone.type = "privileged", and zone.type is non-global, not that ${hint}`,
    ]);
    expect(mistakesIn('extends = "privileged"')).toEqual([]);
    expect(mistakesIn('extends = "privileged"\nzone.type = "non-global"\nnetwork.mode = "none"')).toEqual([]);
  });

  const lists = {
    allowed_egress: '["0.0.0.0/0:443"]',
    allowed_ingress: '["0.0.0.0/0:80"]',
    allowed_domains: '["example.org"]',
    denied_domains: '["example.org"]',
  };
  const useful: Readonly<Record<string, readonly string[]>> = {
    none: ["denied_domains"],
    isolated: ["denied_domains"],
    filtered: ["allowed_egress", "allowed_domains", "denied_domains"],
    bridged: ["allowed_egress", "allowed_ingress"],
    host: [],
  };
  const cases = Object.entries(useful).flatMap(([mode, ok]) =>
    Object.entries(lists).map(([list, value]) => [mode, list, value, ok.includes(list)] as const),
  );

  test.each(cases)("%s with %s = %s: %p", (mode, list, value, ok) => {
    const mistakes = mistakesIn(`[zone]\ntype = "privileged"\n[network]\nmode = "${mode}"\n${list} = ${value}\n`);
    if (ok) expect(mistakes).toEqual([]);
    else {
      expect(mistakes).toHaveLength(1);
      const name = mode === "isolated" ? "none" : mode;
      expect(mistakes[0]).toStartWith(
        `p.toml:5:${list.length + 4} network.${list}: network.${list} has no effect: network.mode is ${name} (set network.mode = "`,
      );
    }
    expect(mistakesIn(`[zone]\ntype = "privileged"\n[network]\nmode = "${mode}"\n${list} = []\n`)).toEqual([]);
  });

  test("is none where it is not set", () => {
    expect(mistakesIn('[network]\nallowed_domains = ["example.org"]')).toEqual([
      'p.toml:2:19 network.allowed_domains: network.allowed_domains has no effect: network.mode is not set, which is none (set network.mode = "filtered", or leave the list out)',
    ]);
    expect(mistakesIn('[network]\nallowed_egress = ["0.0.0.0/0:443"]')[0]).toEndWith(
      '(set network.mode = "filtered" or "bridged", or leave the list out)',
    );
  });

  test("when it changes, the lists of the extended policy do not come along", () => {
    expect(policyOf('extends = "standard"\nnetwork.mode = "none"').network.allowedEgress).toEqual([]);
    expect(policyOf('extends = "standard"\nnetwork.mode = "isolated"').network).toMatchObject({
      mode: "none",
      allowedEgress: [],
    });
    expect(policyOf('extends = "build"\nnetwork.mode = "bridged"').network.allowedDomains).toEqual([]);
    expect(policyOf('extends = "standard"\nnetwork.mode = "filtered"').network.allowedEgress).toEqual([]);
    const both = policyOf('extends = "standard"\n[network]\nmode = "filtered"\nallowed_egress = ["192.0.2.1:5432"]');
    expect(both.network.allowedEgress).toEqual(["192.0.2.1:5432"]);
    expect(policyOf('extends = "standard"\nnetwork.mode = "bridged"').network.allowedEgress).toHaveLength(2);
    expect(policyOf('extends = "task"\nnetwork.mode = "isolated"').network.mode).toBe("none");
  });

  test("when it is first said, they do", () => {
    const files = { "./registries.toml": 'network.allowed_domains = ["@npm"]' };
    expect(policyOf('extends = "./registries.toml"\nnetwork.mode = "filtered"', files).network).toMatchObject({
      mode: "filtered",
      allowedDomains: ["@npm"],
    });
  });

  test("what is denied does not get lost when it changes", () => {
    const files = { "./a.toml": 'extends = "build"\nnetwork.denied_domains = ["evil.example"]' };
    expect(mistakesIn('extends = "./a.toml"\nnetwork.mode = "bridged"', files)).toEqual([
      'p.toml:2:16 network.mode: network.denied_domains has no effect: network.mode is bridged (set network.mode = "filtered", or leave the list out)',
    ]);
    expect(policyOf('extends = "./a.toml"\nnetwork.mode = "none"', files).network.deniedDomains).toEqual([
      "evil.example",
    ]);
  });
});

describe("paths", () => {
  const hint = "(a denied path hides everything below it: take one of the two out)";
  test.each([
    ["readable_paths", "/etc/ssl", "/etc/ssl"],
    ["readable_paths", "/etc/ssl/", "/etc/ssl"],
    ["readable_paths", "/etc/ssl/certs", "/etc/ssl"],
    ["writable_paths", "/data/x/y", "/data"],
    ["allowed_sockets", "/run/x/s.sock", "/run/x"],
  ])("%s %s below denied %s", (key, path, denied) => {
    const normal = path.replace(/\/$/, "");
    expect(mistakesIn(`[filesystem]\n${key} = ["/opt", "${path}"]\ndenied_paths = ["/mnt", "${denied}"]`)).toContain(
      `p.toml:2:${key.length + 13} filesystem.${key}[1]: ${normal} is in filesystem.${key}, and filesystem.denied_paths[1] denies ${denied} ${hint}`,
    );
  });

  test("a denied path below a readable one is what the key is for", () => {
    expect(mistakesIn('[filesystem]\nreadable_paths = ["/etc"]\ndenied_paths = ["/etc/shadow", "/etcetera"]')).toEqual(
      [],
    );
    expect(mistakesIn('[filesystem]\nreadable_paths = ["/etc/sslx"]\ndenied_paths = ["/etc/ssl"]')).toEqual([]);
  });

  test("a device", () => {
    expect(mistakesIn('devices.allowed = ["/dev/fuse"]\nfilesystem.denied_paths = ["/dev"]')).toEqual([
      `p.toml:1:20 devices.allowed[0]: /dev/fuse is in devices.allowed, and filesystem.denied_paths[0] denies /dev ${hint}`,
    ]);
  });

  test("of a shipped policy, denied by the file that extends it", () => {
    expect(mistakesIn('extends = "standard"\nfilesystem.denied_paths = ["/data"]')).toEqual([
      `p.toml:2:28 filesystem.denied_paths[0]: /data is in filesystem.writable_paths, and filesystem.denied_paths[0] denies /data ${hint}`,
    ]);
  });

  test("a malformed path contradicts nothing, and does not hide what does", () => {
    expect(mistakesIn('[filesystem]\nreadable_paths = ["a", "/b"]\ndenied_paths = ["/b", 3]')).toHaveLength(3);
  });
});

describe("domains", () => {
  const hint = "(a denied domain stays denied: take one of the two out)";
  const filtered = (allowed: string, denied: string) =>
    mistakesIn(`[network]\nmode = "filtered"\nallowed_domains = ["${allowed}"]\ndenied_domains = ["${denied}"]`);

  test.each([
    ["example.org", "example.org"],
    ["Example.ORG", "example.org"],
    ["a.example.org", "*.example.org"],
    ["*.a.example.org", "*.example.org"],
    ["*.example.org", "*.example.org"],
    ["example.org", "*"],
    ["@npm", "@npm"],
  ])("%s allowed, %s denied", (allowed, denied) => {
    expect(filtered(allowed, denied)).toEqual([
      `p.toml:3:20 network.allowed_domains[0]: ${allowed.toLowerCase()} is allowed, and network.denied_domains[0] denies ${denied} ${hint}`,
    ]);
  });

  test.each([
    ["*.example.org", "a.example.org"],
    ["example.org", "*.example.org"],
    ["*", "example.org"],
    ["anexample.org", "*.example.org"],
    ["example.org", "example.com"],
  ])("%s allowed, %s denied is an exception, or something else", (allowed, denied) => {
    expect(filtered(allowed, denied)).toEqual([]);
  });
});

describe("system calls", () => {
  test("allowed and denied", () => {
    expect(mistakesIn('[syscalls]\nallow = ["mount", "ptrace"]\ndeny = ["ptrace"]')).toEqual([
      "p.toml:2:19 syscalls.allow[1]: ptrace is allowed, and syscalls.deny[0] denies it (take one of the two out)",
    ]);
    expect(mistakesIn('extends = "strict"\nsyscalls.allow = ["ptrace"]')).toEqual([
      "p.toml:2:19 syscalls.allow[0]: ptrace is allowed, and syscalls.deny[0] denies it (take one of the two out)",
    ]);
    expect(mistakesIn('extends = "strict"\n[syscalls]\nallow = ["ptrace"]\ndeny = []')).toEqual([]);
  });
});

describe("what is no contradiction", () => {
  test.each([
    ["scratch as large as the memory", 'extends = "task"\nresources.memory_limit = "512Mi"'],
    ["a variable passed and set", 'env = { pass = ["LANG"], set = { LANG = "C" } }'],
    ["a path readable and writable", 'filesystem = { readable_paths = ["/a"], writable_paths = ["/a/b", "/a"] }'],
    ["zones that may be contacted without a network", 'network.allowed_zones = ["db"]'],
    ["a privileged zone without a network", 'zone.type = "privileged"'],
    ["the same entry twice", 'capabilities.allowed = ["CAP_KILL", "CAP_KILL"]'],
  ])("%s", (_, text) => {
    expect(mistakesIn(text)).toEqual([]);
  });
});
