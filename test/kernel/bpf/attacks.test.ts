/**
 * Two zones, A and B, with nothing around them but the BPF programs: what A tries on B, the same act inside A, between processes in no
 * zone, and from C, where the policies of B and C list each other in allowed_zones.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { closeSync, existsSync, openSync } from "node:fs";
import type { Hook } from "../../../src/bpf/contract.ts";
import type { Attempt } from "../../support/probe.ts";
import { probePath } from "../../support/probe.ts";
import { network, policyOf } from "./policies.ts";
import { deniedSince, describeGuarded, readCounters } from "./programs.ts";
import { type HandMadeZone, leak, tryOnHost } from "./zones.ts";

describeGuarded("a zone, against another one", (guard) => {
  let a: HandMadeZone;
  let b: HandMadeZone;
  let c: HandMadeZone;
  let resident = 0;
  let own = 0;
  let leaked = -1;

  beforeAll(async () => {
    const setup = `echo secret >FOLDER/secret && cp ${probePath} FOLDER/program`;
    a = await guard.zone("a", policyOf(), { setup });
    const lists = { allowedIngress: ["127.0.0.1:7101-7103"], allowedZones: ["c", "shy"] };
    b = await guard.zone("b", policyOf(network(lists)), { setup });
    c = await guard.zone("c", policyOf(network({ allowedZones: ["b"] })));
    const sockets = [1, 2, 3].flatMap((n) => [`listen unix ${b.folder}/socket${n}`, `listen inet 127.0.0.1 710${n}`]);
    resident = await b.resident(sockets);
    own = await a.resident([]);
    leaked = leak(resident, b.folder);
  }, 400_000);

  afterAll(() => {
    if (leaked >= 0) closeSync(leaked);
  });

  /** A is denied with this errno, which is counted and told at the hook; the host and C are not. */
  function attack(name: string, hook: Hook, errno: string, attempt: () => Attempt, more: Expected = {}): void {
    test(name, async () => {
      const before = readCounters(guard.state);
      a.denials();
      expect(await a.outcomes([attempt()], [leaked])).toEqual([errno]);
      expect(deniedSince(guard.state, before, hook)).toBeGreaterThanOrEqual(1);
      const told = a.denials().filter((denial) => denial.hook === hook);
      expect(told[0]).toMatchObject({ hook, comm: "test-probe", target: more.target ?? b.id, reason: more.reason });
      if (more.object !== undefined) expect(told[0]?.object).toContain(more.object());
      if (more.onHost !== null) expect(tryOnHost([attempt()], [leaked])).toEqual([more.onHost ?? "OK"]);
      if (more.allowed !== null) {
        const allowed = more.allowed?.() ?? attempt();
        expect(await c.outcomes([allowed], [leaked])).toEqual(["OK"]);
        expect(c.denials()).toEqual([]);
      }
    }, 120_000);
  }
  interface Expected {
    readonly reason?: string;
    readonly target?: bigint;
    readonly object?: () => string;
    readonly onHost?: string | null;
    readonly allowed?: (() => Attempt) | null;
  }

  const file = { reason: "other_zone_file" };
  const task = { reason: "other_zone" };
  const members = () => `${b.cgroup}/cgroup.procs`;
  const through = (path: string) => `/proc/${resident}/root${b.folder}/${path}`;

  attack("opens its file by a leaked descriptor", "file_open", "EACCES", () => "openat 3 r secret", {
    ...file,
    object: () => "secret",
  });
  attack("opens its file for writing", "file_open", "EACCES", () => "openat 3 w secret", file);
  attack(
    "opens its file through /proc/PID/root",
    "ptrace_access_check",
    "EACCES",
    () => `open r ${through("secret")}`,
    task,
  );
  attack(
    "executes its program by a leaked descriptor",
    "file_open",
    "EACCES",
    () => "exec /proc/self/fd/3/program exit 0",
    {
      ...file,
      object: () => "program",
    },
  );
  attack(
    "executes its program through /proc/PID/root",
    "ptrace_access_check",
    "EACCES",
    () => `exec ${through("program")} exit 0`,
    task,
  );
  attack("traces its process", "ptrace_access_check", "EPERM", () => `ptrace ${resident}`, task);
  attack("reads its process's memory", "ptrace_access_check", "EPERM", () => `vm-read ${resident}`, {
    ...task,
    allowed: null,
    onHost: null,
  });
  attack("takes a descriptor from its process", "ptrace_access_check", "EPERM", () => `pidfd ${resident} 1`, task);
  attack("signals its process", "task_kill", "EPERM", () => `kill ${resident} 0`, task);
  attack("changes its process's priority", "task_setnice", "EPERM", () => `syscall 141 0 ${resident} 0`, task);
  attack("puts itself into its cgroup", "cgroup_lock", "EACCES", () => `open w ${members()}`, {
    reason: "cgroup",
    target: 0n,
    object: members,
    allowed: null,
  });
  attack("connects to its unix socket", "unix_stream_connect", "EPERM", () => "connect unix /proc/self/fd/3/socket1", {
    ...task,
    object: () => `${b.folder}/socket1`,
    onHost: null,
    allowed: () => "connect unix /proc/self/fd/3/socket2",
  });
  attack("connects to its TCP port", "socket_connect", "EPERM", () => "connect inet 127.0.0.1 7101", {
    ...task,
    object: () => "127.0.0.1:7101",
    onHost: null,
    allowed: () => "connect inet 127.0.0.1 7102",
  });

  test("one that lists another in allowed_zones reaches nothing where it is not listed too, on either side", async () => {
    const suitor = await guard.zone("suitor", policyOf(network({ allowedZones: ["b"] })));
    const shy = await guard.zone("shy");
    const attempts = ["openat 3 r secret", `kill ${resident} 0`, `pidfd ${resident} 1`];
    const more = ["connect unix /proc/self/fd/3/socket3", "connect inet 127.0.0.1 7103"];
    const refused = ["EACCES", "EPERM", "EPERM", "EPERM", "EPERM"];
    expect(await suitor.outcomes([...attempts, ...more], [leaked])).toEqual(refused);
    const told = suitor.denials();
    expect(told.map(({ target }) => target)).toEqual(refused.map(() => b.id));
    expect(new Set(told.map(({ reason }) => reason))).toEqual(new Set(["other_zone_file", "other_zone"]));
    // B lists the shy one, which lists nobody.
    const sleeper = await shy.resident([]);
    b.denials();
    expect(await b.outcomes([`kill ${sleeper} 0`, `ptrace ${sleeper}`])).toEqual(["EPERM", "EPERM"]);
    expect(b.denials().map(({ target }) => target)).toEqual([shy.id, shy.id]);
    for (const zone of [suitor, shy]) await zone.end();
  }, 120_000);

  test("executes nothing of another zone's even as the first thing it does", async () => {
    const d = await guard.zone("d");
    const before = readCounters(guard.state);
    const { stderr } = await d.run(["/proc/self/fd/3/program", "self"], [leaked]);
    expect(stderr).toContain("Permission denied");
    expect(deniedSince(guard.state, before, "bprm_check_security")).toBe(1);
    expect(d.denials()).toMatchObject([{ hook: "bprm_check_security", reason: "other_zone_file", target: b.id }]);
    await d.end();
  }, 120_000);

  test("does all of that to its own", async () => {
    const answers = await a.try([
      `open rw ${a.folder}/secret`,
      `exec ${a.folder}/program exit 0`,
      `kill ${own} 0`,
      `pidfd ${own} 1`,
      `syscall 141 0 ${own} 0`,
      `open w ${a.cgroup}/cgroup.procs`,
      `listen unix ${a.folder}/socket`,
      `ptrace ${own}`,
    ]);
    expect(answers.filter(({ outcome }) => outcome !== "OK")).toEqual([]);
    expect(a.denials()).toEqual([]);
  }, 120_000);

  test("reaches the host neither", async () => {
    const host = process.pid;
    const attempts = [
      `kill ${host} 0`,
      `ptrace ${host}`,
      `open r /proc/${host}/environ`,
      `open r /proc/1/root/etc/passwd`,
    ];
    expect(await a.outcomes(attempts)).toEqual(["EPERM", "EPERM", "EACCES", "EACCES"]);
    expect(new Set(a.denials().map(({ reason }) => reason))).toEqual(new Set(["host"]));
  }, 120_000);

  test("holds what keeps descriptors of the host on purpose", async () => {
    const root = openSync("/", "r");
    const attempts = ["openat 3 r etc/passwd", "openat 3 create var/tmp/broken-out", "exec /proc/self/fd/3/bin/true"];
    expect(await a.outcomes(attempts, [root])).toEqual(["EACCES", "EACCES", "EACCES"]);
    expect(a.denials().map(({ reason }) => reason)).toContain("outside_mount_tree");
    closeSync(root);
    expect(existsSync("/var/tmp/broken-out")).toBe(false);
  }, 120_000);
});
