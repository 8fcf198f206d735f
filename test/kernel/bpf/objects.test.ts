/** Whose it is: the other hooks on files, tasks and sockets, each with what it denies, what it lets pass, and what it says. */
import { beforeAll, expect, test } from "bun:test";
import { closeSync, mkdirSync, openSync, rmdirSync, rmSync } from "node:fs";
import type { Hook } from "../../../src/bpf/contract.ts";
import { network, policyOf } from "./policies.ts";
import { deniedSince, describeGuarded, expectDenied, readCounters } from "./programs.ts";
import { tries } from "./tries.ts";
import { type HandMadeZone, leak, tryOnHost } from "./zones.ts";

describeGuarded("objects", (guard) => {
  let a: HandMadeZone;
  let b: HandMadeZone;
  let resident = 0;

  beforeAll(async () => {
    const lists = { allowedEgress: ["127.0.0.1:7400"], allowedIngress: ["127.0.0.1:7400-7401", "127.0.0.1:7600"] };
    a = await guard.zone("a", policyOf(network(lists)));
    b = await guard.zone("b", policyOf(), { setup: "touch FOLDER/file && mkdir FOLDER/dir" });
    resident = await b.resident([]);
    await a.outcomes(["self"]);
  }, 400_000);

  test("signals by pidfd, tracing by one's parent, scheduling and limits of others", async () => {
    const attempts = tries(
      `signal.pidfd_send_signal(os.pidfd_open(${resident}), 0)`,
      'call("ptrace", 0, 0, 0, 0)',
      `os.sched_setscheduler(${resident}, 0, os.sched_param(0))`,
      `resource.prlimit(${resident}, resource.RLIMIT_NOFILE, (64, 64))`,
      "os.sched_setscheduler(0, 0, os.sched_param(0))",
      "resource.prlimit(0, resource.RLIMIT_CORE, (0, 0))",
      "signal.pidfd_send_signal(os.pidfd_open(os.getpid()), 0)",
    );
    const before = readCounters(guard.state);
    a.denials();
    const { stdout } = await a.run(attempts);
    expect(stdout.split("\n")).toEqual(["EPERM", "EPERM", "EPERM", "EPERM", "OK", "OK", "OK"]);
    const hooks: readonly Hook[] = ["task_kill", "ptrace_traceme", "task_setscheduler", "task_prlimit"];
    const told = a.denials();
    expect(told.map(({ hook }) => hook)).toEqual([...hooks]);
    // The parent, by which the process asks to be traced, is this test: in no zone.
    expect(told.map(({ target }) => target)).toEqual([b.id, 0n, b.id, b.id]);
    for (const hook of hooks) expect(deniedSince(guard.state, before, hook)).toBe(1);
    const outside = tries(
      `signal.pidfd_send_signal(os.pidfd_open(${resident}), 0)`,
      `os.sched_setscheduler(${resident}, 0, os.sched_param(0))`,
      `resource.prlimit(${resident}, resource.RLIMIT_CORE, (0, 0))`,
    );
    expect(Bun.spawnSync([...outside]).stdout.toString()).toBe("OK\nOK\nOK\n");
  }, 120_000);

  test("addresses that the policy does not list", async () => {
    const connect = () => a.outcomes(["connect inet 127.0.0.1 7500"]);
    await expectDenied(a, "socket_connect", connect, ["EPERM"], {
      reason: "egress",
      object: "127.0.0.1:7500",
      target: 0n,
    });
    const send = () => a.outcomes(["send inet 127.0.0.1 7500"]);
    await expectDenied(a, "socket_sendmsg", send, ["EPERM"], { reason: "egress", object: "127.0.0.1:7500" });
    await expectDenied(a, "socket_connect", () => a.outcomes(["connect inet6 ::1 7500"]), ["EPERM"], {
      object: "[::1]:7500",
    });
    await expectDenied(a, "socket_bind", () => a.outcomes(["bind inet 127.0.0.1 7500"]), ["EPERM"], {
      reason: "ingress",
    });
  }, 120_000);

  test("addresses that it does", async () => {
    a.denials();
    const listed = ["connect inet 127.0.0.1 7400", "send inet 127.0.0.1 7400", "bind inet 127.0.0.1 7401"];
    expect(await a.outcomes(listed)).toEqual(["ECONNREFUSED", "OK", "OK"]);
    expect(await a.outcomes(["listen inet 127.0.0.1 7600"])).toEqual(["OK"]);
    expect(await a.outcomes(["bind inet 127.0.0.1 0"])).toEqual(["OK"]);
    expect(a.denials()).toEqual([]);
  }, 120_000);

  test("a network of the zone's own: its loopback is free, nothing else is", async () => {
    const setup = "ip link set lo up";
    const alone = await guard.zone("alone", policyOf(), { setup, unshare: ["--net"] });
    expect(await alone.outcomes(["listen inet 127.0.0.1 7700", "listen inet6 ::1 7700"])).toEqual(["OK", "OK"]);
    expect(alone.denials()).toEqual([]);
    const out = () => alone.outcomes(["connect inet 192.0.2.1 80"]);
    await expectDenied(alone, "socket_connect", out, ["EPERM"], { reason: "egress", object: "192.0.2.1:80" });
    await alone.end();
  }, 120_000);

  test("datagrams to unix sockets of another zone, and of the host", async () => {
    const bind = (path: string) =>
      `import socket, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind("${path}"); print("up", flush=True); time.sleep(600)`;
    const server = b.spawn(["python3", "-c", bind(`${b.folder}/datagrams`)]);
    const hostPath = `/var/tmp/bpf-datagrams-${process.pid}`;
    const host = Bun.spawn(["python3", "-c", bind(hostPath)], { stdio: ["ignore", "pipe", "inherit"] });
    for (const child of [server, host]) await child.stdout.getReader().read();
    const folder = leak(resident, b.folder);
    const send = () => a.outcomes(["send unix /proc/self/fd/3/datagrams"], [folder]);
    await expectDenied(a, "unix_may_send", send, ["EPERM"], { reason: "other_zone", target: b.id });
    const toHost = () => a.outcomes([`send unix ${hostPath}`]);
    await expectDenied(a, "unix_may_send", toHost, ["EPERM"], { reason: "host", object: hostPath });
    expect(tryOnHost([`send unix ${hostPath}`])).toEqual(["OK"]);
    closeSync(folder);
    host.kill("SIGKILL");
    server.kill("SIGKILL");
    rmSync(hostPath, { force: true });
  }, 120_000);

  test("a file that was open already is not mapped", async () => {
    const file = openSync("/etc/passwd", "r");
    const map = tries("mmap.mmap(3, 0, prot=mmap.PROT_READ)");
    await expectDenied(a, "mmap_file", async () => (await a.run(map, [file])).stdout, "EACCES", {
      reason: "outside_mount_tree",
    });
    closeSync(file);
  }, 120_000);

  test("a descriptor that somebody outside sends does not arrive, one of the zone's own does", async () => {
    const receive = `
import array, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind("${a.folder}/inbox"); print("up", flush=True)
for _ in range(2):
    data, control, flags, _ = s.recvmsg(8, socket.CMSG_LEN(4)); print(len(control), flush=True)`;
    const send = (path: string, fd: string) =>
      `import socket, array; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect("${path}"); f = open("${fd}"); s.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [f.fileno()]))])`;
    const server = a.spawn(["python3", "-c", receive]);
    const reader = server.stdout.getReader();
    await reader.read();
    a.denials();
    const from = Bun.spawnSync(["python3", "-c", send(`/proc/${server.pid}/root${a.folder}/inbox`, "/etc/passwd")]);
    expect(from.stderr.toString()).toBe("");
    const text = async () => new TextDecoder().decode((await reader.read()).value).trim();
    expect(await text()).toBe("0");
    expect(a.denials()).toMatchObject([{ hook: "file_receive", reason: "outside_mount_tree", object: "/etc/passwd" }]);
    expect((await a.run(["python3", "-c", send(`${a.folder}/inbox`, "/etc/passwd")])).stderr).toBe("");
    expect(await text()).toBe("1");
    server.kill("SIGKILL");
  }, 120_000);

  test("changes of another zone's directories", async () => {
    const folder = leak(resident, b.folder);
    const attempts = [
      'os.unlink("file", dir_fd=3)',
      'os.rename("file", "other", src_dir_fd=3, dst_dir_fd=3)',
      'os.mkdir("new", dir_fd=3)',
      'os.rmdir("dir", dir_fd=3)',
      'os.symlink("x", "link", dir_fd=3)',
      'os.link("file", "hard", src_dir_fd=3, dst_dir_fd=3)',
      'os.mknod("node", dir_fd=3)',
      'os.chmod("file", 0, dir_fd=3)',
      'os.chown("file", 1, 1, dir_fd=3)',
      'os.truncate("/proc/self/fd/3/file", 0)',
    ];
    a.denials();
    const { stdout } = await a.run(tries(...attempts), [folder]);
    expect(stdout.split("\n")).toEqual(attempts.map(() => "EACCES"));
    const told = a.denials();
    expect(new Set(told.map(({ hook }) => hook))).toEqual(new Set<Hook>(["path_change"]));
    expect(told[0]).toMatchObject({ object: "file", target: b.id, reason: "other_zone_file" });
    closeSync(folder);
    const own = [
      'os.mkdir("d")',
      'os.rmdir("d")',
      'open("f", "w")',
      'os.rename("f", "g")',
      'os.chmod("g", 0)',
      'os.unlink("g")',
    ];
    const inside = await a.run(tries(`os.chdir("${a.folder}")`, ...own));
    expect(inside.stdout.split("\n")).toEqual(["OK", ...own.map(() => "OK")]);
  }, 120_000);

  test("the cgroup tree: its own limits are no more a zone's to write than others'", async () => {
    const file = `${a.cgroup}/cgroup.max.descendants`;
    await expectDenied(a, "cgroup_lock", () => a.outcomes([`open w ${file}`]), ["EACCES"], {
      reason: "cgroup",
      object: file,
    });
    await expectDenied(a, "cgroup_lock", () => a.outcomes(["open w /sys/fs/cgroup/cgroup.procs"]), ["EACCES"]);
    mkdirSync(`${a.cgroup}/below`);
    expect(
      await a.outcomes([`open w ${a.cgroup}/below/cgroup.max.depth`, `write ${a.cgroup}/below/cgroup.procs 0`]),
    ).toEqual(["OK", "OK"]);
    expect(await a.outcomes([`open r ${file}`])).toEqual(["OK"]);
    await Bun.sleep(100);
    rmdirSync(`${a.cgroup}/below`);
  }, 120_000);
});
