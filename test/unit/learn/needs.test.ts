/** What a run that was watched lacked: from records of the launcher to keys of a policy. */
import { describe, expect, test } from "bun:test";
import type { BackendEvent } from "../../../src/run/backend-event.ts";
import { type HostKind, needsOf } from "../../../src/run/learn/needs.ts";
import { absolutePath } from "../../../src/run/learn/uses.ts";
import { watchedCalls } from "../../../src/run/learn/watched.ts";
import { writePolicy } from "../../../src/run/learn/write-policy.ts";
import type { ImageRoot } from "../../../src/run/request.ts";
import { syscallTable } from "../../../src/run/seccomp/syscalls.ts";
import { planned, policyWith } from "../plan/inputs.ts";
import { reportOf, started } from "../result/run.ts";

const AUDIT_ARCH_X86_64 = 0xc000_003e;
const numbers = syscallTable("x86_64").numbers;
const O_CREAT = 0o101;

function used(call: string, path: string, changes: { flags?: number; base?: string; address?: Uint8Array } = {}) {
  const { flags = 0, base = "", address = new Uint8Array(0) } = changes;
  const nr = numbers.get(call) ?? -1;
  return {
    at: 1,
    record: "used",
    nr,
    arch: AUDIT_ARCH_X86_64,
    flags,
    path,
    base,
    address,
  } as const satisfies BackendEvent;
}

const unix = (path: string) =>
  used("connect", "", { address: new Uint8Array([1, 0, ...new TextEncoder().encode(path), 0]) });
const inet = (address: readonly number[], port: number) =>
  used("connect", "", { address: new Uint8Array([2, 0, port >> 8, port & 255, ...address, 0, 0, 0, 0, 0, 0, 0, 0]) });

/** The keys that these records come to, on a host with these files. */
function learned(events: readonly BackendEvent[], host: Readonly<Record<string, HostKind>> = {}) {
  const report = reportOf(planned({ policy: policyWith({ filesystem: { deniedPaths: ["/usr/secret"] } }) }), [
    started,
    ...events,
  ]);
  const { keys, others } = needsOf(report, (path) => host[path] ?? null);
  return { keys: Object.fromEntries([...keys].map(([key, values]) => [key, [...values.keys()]])), others };
}

describe("reads", () => {
  test("of a file of the host that is in no view", () => {
    const host = { "/opt/tool/bin": "file", "/home/a": "directory" } as const;
    expect(
      learned([used("openat", "/opt/tool/bin"), used("stat", "/home/a"), used("open", "/none")], host).keys,
    ).toEqual({
      "filesystem.readable_paths": ["/opt/tool/bin"],
    });
  });

  test("of what the view shows, or nobody has, are no need", () => {
    expect(
      learned([used("open", "/usr/bin/env"), used("stat", "/no/such"), used("open", "/proc/self/maps")]).keys,
    ).toEqual({});
  });

  test("of many files of one directory are the directory's", () => {
    const files = Array.from({ length: 20 }, (_, n) => `/opt/tool/lib/${n}.so`);
    const host = Object.fromEntries(files.map((file) => [file, "file"] as const));
    expect(
      learned(
        files.map((file) => used("open", file)),
        host,
      ).keys,
    ).toEqual({
      "filesystem.readable_paths": ["/opt/tool/lib"],
    });
    const home = files.map((file) => file.replace("/opt/tool/lib", "/home/a"));
    const inHome = Object.fromEntries(home.map((file) => [file, "file"] as const));
    expect(
      learned(
        home.map((file) => used("open", file)),
        inHome,
      ).keys["filesystem.readable_paths"],
    ).toHaveLength(20);
  });

  test("in a scratch directory: the host's file, not the task's own of the same name", () => {
    const host = { "/tmp/theirs": "file", "/tmp/own": "file", "/tmp": "directory" } as const;
    const events = [
      used("open", "/tmp/own", { flags: O_CREAT }),
      used("open", "/tmp/own"),
      used("open", "/tmp/theirs"),
    ];
    expect(learned([...events, used("open", "/tmp")], host).keys).toEqual({
      "filesystem.readable_paths": ["/tmp/theirs"],
    });
  });

  test("of a denied path are said, not granted", () => {
    const { keys, others } = learned([used("open", "/usr/secret/key")], { "/usr/secret/key": "file" });
    expect(keys).toEqual({});
    expect(others.join()).toContain("denied_paths hides /usr/secret/key");
  });
});

describe("in a zone of an image", () => {
  const image = {
    reference: "tool:1",
    digest: "",
    layers: [{ name: "a", tree: "/store/a/tree" }],
    env: [],
    user: { uid: 0, gid: 0, groups: [], name: "root", home: "/root" },
  } as unknown as ImageRoot;
  const holds = ["/usr", "/usr/bin", "/usr/bin/tool", "/opt", "/srv"];
  function inImage(events: readonly BackendEvent[], host: Readonly<Record<string, HostKind>> = {}) {
    const view = [{ kind: "ro-bind", source: "/x", target: "/shown", origin: { kind: "zone", what: "x" } }] as const;
    const report = reportOf(planned({ request: { image, view } }), [started, ...events]);
    const { keys, others } = needsOf(report, (path) => host[path] ?? null, { has: (path) => holds.includes(path) });
    return { keys: Object.fromEntries([...keys].map(([key, values]) => [key, [...values.keys()]])), others };
  }
  const nothing = { keys: {}, others: [] };

  test("what the image has, or could have below its own names, is no need", () => {
    const host = {
      "/usr/bin/tool": "file",
      "/usr/lib/x": "file",
      "/etc/ld.so.cache": "file",
      "/lib64/y": "file",
    } as const;
    const reads = Object.keys(host).map((path) => used("open", path));
    const writes = [
      used("mkdir", "/srv/new/deep"),
      used("open", "/opt/new", { flags: O_CREAT }),
      used("unlink", "/usr/bin/tool"),
      used("unlink", "/gone"),
    ];
    expect(inImage([...reads, ...writes], { ...host, "/gone": "file" })).toEqual(nothing);
  });

  test("a file of the host's beside it is one, unless the task made it itself", () => {
    const events = [
      used("open", "/opt/theirs"),
      used("open", "/opt/own", { flags: O_CREAT }),
      used("open", "/opt/own"),
    ];
    expect(inImage(events, { "/opt/theirs": "file", "/opt/own": "file" }).keys).toEqual({
      "filesystem.readable_paths": ["/opt/theirs"],
    });
  });

  test("a directory in / is a scratch directory's, a file there nobody's", () => {
    const { keys, others } = inImage([used("mkdir", "/app"), used("open", "/file", { flags: O_CREAT })]);
    expect(keys).toEqual({ "filesystem.writable_paths": ["/app"] });
    expect(others).toEqual([expect.stringMatching(/^\/file was to be made in \//)]);
    expect(inImage([used("mkdir", "/opt"), used("mkdir", "/shown")])).toEqual(nothing);
  });

  test("what is bound read-only stays so", () => {
    expect(inImage([used("open", "/shown/new", { flags: O_CREAT })]).others).toHaveLength(1);
  });

  test("a device is one, though /dev is a scratch directory there", () => {
    for (const flags of [0, 2]) {
      expect(inImage([used("open", "/dev/kvm", { flags })], { "/dev/kvm": "device" }).keys).toEqual({
        "devices.allowed": ["/dev/kvm"],
      });
    }
  });
});

describe("writes", () => {
  test("need the directory; in one that is there already, nothing", () => {
    const events = [used("open", "/data/file", { flags: O_CREAT }), used("open", "/tmp/x", { flags: O_CREAT })];
    expect(learned(events).keys).toEqual({ "filesystem.writable_paths": ["/data"] });
  });

  test("of a chain of directories need the last of it", () => {
    const chain = ["/a/b/c", "/a/b", "/a"].map((path) => used("mkdir", path));
    expect(learned(chain).keys).toEqual({ "filesystem.writable_paths": ["/a/b/c"] });
  });

  test("where a scratch directory would hide the host's files are said, not granted", () => {
    const { keys, others } = learned([
      used("open", "/etc/new", { flags: O_CREAT }),
      used("mkdir", "/new"),
      used("unlink", "/usr/bin/env"),
    ]);
    expect(keys).toEqual({ "filesystem.writable_paths": ["/new"] });
    expect(others).toHaveLength(2);
  });

  test("to a device need the device", () => {
    expect(learned([used("open", "/dev/kvm", { flags: 2 })], { "/dev/kvm": "device" }).keys).toEqual({
      "devices.allowed": ["/dev/kvm"],
    });
  });
});

describe("sockets", () => {
  test("of the host by path, in a scratch directory too", () => {
    const host = { "/run/user/1000/bus": "socket", "/srv/db.sock": "socket" } as const;
    expect(learned([unix("/run/user/1000/bus"), unix("/srv/db.sock"), unix("/srv/none")], host).keys).toEqual({
      "filesystem.allowed_sockets": ["/run/user/1000/bus", "/srv/db.sock"],
    });
  });

  test("of the network by address and port; the zone's own loopback is no need", () => {
    expect(learned([inet([192, 0, 2, 1], 443), inet([127, 0, 0, 1], 80)]).keys).toEqual({
      "network.allowed_egress": ["192.0.2.1/32:443"],
    });
  });

  test("with addresses that are cut short or of other families are nothing", () => {
    for (const bytes of [[], [1], [2, 0, 1], [10, 0, 0, 80, 1], [16, 0, 0, 0], [1, 0, 0, 120]]) {
      expect(learned([used("connect", "", { address: new Uint8Array(bytes) })]).keys).toEqual({});
    }
  });
});

describe("paths", () => {
  test.each([
    ["a", "/b", "/b/a"],
    ["../a", "/b/c", "/b/a"],
    ["/../../a/./", "/b", "/a"],
    ["", "/b", "/b"],
    ["a", "pipe:[1]", undefined],
    ["a", "", undefined],
  ])("%s from %s is %s", (path, base, absolute) => {
    expect(absolutePath(path, base)).toBe(absolute as string);
  });
});

describe("the watch table", () => {
  test("has only allowed calls, each as five words", () => {
    const { names, calls } = watchedCalls("x86_64", new Set(["open", "connect", "bpf"]));
    expect(names).toEqual(["open", "connect"]);
    expect([...new Uint32Array(calls.buffer)]).toEqual([2, 0, 0, 255, 1, 42, 1, 1, 255, 255]);
  });
});

describe("the policy", () => {
  test("can't be broken out of by a path", () => {
    const evil = '/x"\n[zone]\ntype = "privileged"\n#';
    const needs = {
      keys: new Map([["filesystem.readable_paths", new Map([[evil, "a\nb"]])]] as const),
      others: ["c\nd"],
    };
    const base = policyWith();
    const text = writePolicy({ extends: "task", base, needs, passed: false, granted: new Map(), runs: 1, exitCode: 1 });
    expect(Bun.TOML.parse(text)).toEqual({ extends: "task", filesystem: { readable_paths: [evil] } });
    const idle = writePolicy({ extends: "task", base, needs, passed: true, granted: new Map(), runs: 1, exitCode: 0 });
    expect(Bun.TOML.parse(idle)).toEqual({ extends: "task" });
  });
});
