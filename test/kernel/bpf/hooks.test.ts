/**
 * Every other hook, each with what it denies, what it lets pass, and what it says. The zones are the host's root with nothing around them
 * but the programs (zones.ts).
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import type { Hook } from "../../../src/bpf/contract.ts";
import { u64 } from "../../../src/bpf/zone-entry.ts";
import { remove } from "../../../src/linux/bpf/map-calls.ts";
import type { BpfState } from "../../../src/linux/bpf/state.ts";
import { tries } from "./tries.ts";
import {
  deniedSince,
  HandMadeZone,
  inVm,
  isRoot,
  leak,
  network,
  policyOf,
  readCounters,
  setUp,
  tearDown,
  tryOnHost,
} from "./zones.ts";

if (inVm && isRoot)
  describe("hooks", () => {
    let state: BpfState;
    let a: HandMadeZone;
    let b: HandMadeZone;
    let resident = 0;

    beforeAll(async () => {
      state = setUp();
      const lists = { allowedEgress: ["127.0.0.1:7400"], allowedIngress: ["127.0.0.1:7400-7401", "127.0.0.1:7600"] };
      a = await HandMadeZone.make(state, "a", policyOf(network(lists)));
      b = await HandMadeZone.make(state, "b", policyOf(), { setup: "touch FOLDER/file && mkdir FOLDER/dir" });
      resident = await b.resident([]);
      await a.outcomes(["self"]);
    }, 400_000);

    afterAll(async () => {
      for (const zone of [a, b]) await zone?.end();
      if (state !== undefined) tearDown(state);
    }, 400_000);

    /** The zone's attempt is denied with this errno, counted and told; another one, of its own, passes. */
    async function denied(
      zone: HandMadeZone,
      hook: Hook,
      run: () => Promise<unknown>,
      expected: unknown,
      event: Record<string, unknown> = {},
    ): Promise<void> {
      const before = readCounters(state);
      zone.denials();
      expect(await run()).toEqual(expected);
      expect(deniedSince(state, before, hook)).toBeGreaterThanOrEqual(1);
      expect(zone.denials().filter((denial) => denial.hook === hook)[0]).toMatchObject(event);
    }

    test("bpf(2), and what is pinned", async () => {
      const map = "/sys/fs/bpf/rauha/maps/rauha_zones";
      await denied(a, "bpf", () => a.outcomes(["bpf"]), ["EPERM"], { reason: "never", number: 0 });
      await denied(a, "file_open", () => a.outcomes([`open r ${map}`]), ["EACCES"], { reason: "never" });
      const unlink = tries(`os.unlink("${map}")`, 'os.mkdir("/sys/fs/bpf/rauha/x")');
      await denied(a, "path_change", async () => (await a.run(unlink)).stdout, "EACCES\nEACCES", { reason: "never" });
      expect(existsSync(map)).toBe(true);
      expect(tryOnHost(["bpf"])).toEqual(["OK"]);
    }, 120_000);

    test("mounts", async () => {
      const folder = a.folder;
      await denied(a, "sb_mount", () => a.outcomes([`mount none ${folder} tmpfs`]), ["EPERM"], { reason: "policy" });
      await denied(a, "sb_umount", () => a.outcomes([`umount ${folder}`]), ["EPERM"]);
      await denied(a, "sb_pivotroot", () => a.outcomes([`pivot ${folder} ${folder}`]), ["EPERM"]);
    }, 120_000);

    /** open_tree(2) of a copy and move_mount(2); fspick(2) and fsconfig(2) with FSCONFIG_CMD_RECONFIGURE: x86-64's numbers. */
    const newMounts = (folder: string) => ({
      move: tries(`call("syscall", 429, call("syscall", 428, -100, b"${folder}", 1), b"", -100, b"${folder}", 4)`),
      change: tries(`call("syscall", 431, call("syscall", 433, -100, b"${folder}", 0), 7, None, None, 0)`),
    });

    test("mounts, by the newer system calls", async () => {
      const { move, change } = newMounts(a.folder);
      const event = { reason: "policy" };
      await denied(a, "move_mount", async () => (await a.run(move)).stdout, "EPERM", event);
      await denied(a, "sb_remount", async () => (await a.run(change)).stdout, "EPERM", event);
    }, 120_000);

    test("mounts, where the policy has them", async () => {
      const mounting = await HandMadeZone.make(
        state,
        "mounting",
        policyOf(({ syscalls }) => ({ syscalls: { ...syscalls, allow: ["mount"] } })),
      );
      const { folder } = mounting;
      expect(await mounting.outcomes([`mount none ${folder} tmpfs`, `umount ${folder}`])).toEqual(["OK", "OK"]);
      const { move, change } = newMounts(folder);
      expect([(await mounting.run(change)).stdout, (await mounting.run(move)).stdout]).toEqual(["OK", "OK"]);
      expect(mounting.denials()).toEqual([]);
      await mounting.end();
    }, 120_000);

    test("user namespaces", async () => {
      await denied(a, "userns_create", () => a.outcomes(["unshare user"]), ["EPERM"], { reason: "policy" });
      expect(tryOnHost(["unshare user"])).toEqual(["OK"]);
    }, 120_000);

    test("profiling", async () => {
      await denied(a, "perf_event_open", () => a.outcomes(["perf"]), ["EPERM"], { reason: "never" });
    }, 120_000);

    test("kernel modules, read from a file", async () => {
      // finit_module(2); what is outside of every zone gets as far as to what the file holds.
      const load = (path: string) =>
        tries(`open("${path}", "w").write("x" * 100)`, `call("syscall", 313, os.open("${path}", 0), b"", 0)`);
      const run = async () => (await a.run(load(`${a.folder}/module`))).stdout;
      await denied(a, "kernel_read_file", run, "OK\nEPERM", { reason: "never", number: 2 });
      const path = `/var/tmp/bpf-module-${process.pid}`;
      expect(Bun.spawnSync([...load(path)]).stdout.toString()).toBe("OK\nENOEXEC\n");
      rmSync(path);
    }, 120_000);

    test("kernel modules: given, and asked for by a rare socket", async () => {
      // init_module(2) with something that is long enough to be looked at.
      const load = tries('call("syscall", 175, ctypes.create_string_buffer(8192), 8192, b"")');
      await denied(a, "kernel_load_data", async () => (await a.run(load)).stdout, "EPERM", { reason: "never" });
      await denied(a, "kernel_module_request", () => a.outcomes(["socket 21 5"]), ["EAFNOSUPPORT"], {
        object: "net-pf-21",
      });
    }, 120_000);

    test("capabilities outside the mask, and no others", async () => {
      const bare = await HandMadeZone.make(
        state,
        "bare",
        policyOf(() => ({ capabilities: { allowed: ["CAP_KILL"] } })),
      );
      const name = "hostname rig";
      await denied(bare, "capable", () => bare.outcomes([name]), ["EPERM"], { reason: "capability", number: 21 });
      expect(await bare.outcomes(["kill 0 0"])).toEqual(["OK"]);
      expect(await a.outcomes([name])).toEqual(["OK"]);
      await bare.end();
    }, 120_000);

    test("tracing, where the policy forbids it even inside", async () => {
      const untraced = await HandMadeZone.make(
        state,
        "untraced",
        policyOf(({ syscalls }) => ({ syscalls: { ...syscalls, deny: ["ptrace"] } })),
      );
      const own = await untraced.resident([]);
      const trace = () => untraced.outcomes([`ptrace ${own}`]);
      await denied(untraced, "ptrace_access_check", trace, ["EPERM"], { reason: "policy" });
      await untraced.end();
    }, 120_000);

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
      const before = readCounters(state);
      a.denials();
      const { stdout } = await a.run(attempts);
      expect(stdout.split("\n")).toEqual(["EPERM", "EPERM", "EPERM", "EPERM", "OK", "OK", "OK"]);
      const hooks: readonly Hook[] = ["task_kill", "ptrace_traceme", "task_setscheduler", "task_prlimit"];
      const told = a.denials();
      expect(told.map(({ hook }) => hook)).toEqual([...hooks]);
      // The parent, by which the process asks to be traced, is this test: in no zone.
      expect(told.map(({ target }) => target)).toEqual([b.id, 0n, b.id, b.id]);
      for (const hook of hooks) expect(deniedSince(state, before, hook)).toBe(1);
      const outside = tries(
        `signal.pidfd_send_signal(os.pidfd_open(${resident}), 0)`,
        `os.sched_setscheduler(${resident}, 0, os.sched_param(0))`,
        `resource.prlimit(${resident}, resource.RLIMIT_CORE, (0, 0))`,
      );
      expect(Bun.spawnSync([...outside]).stdout.toString()).toBe("OK\nOK\nOK\n");
    }, 120_000);

    test("addresses that the policy does not list", async () => {
      const connect = () => a.outcomes(["connect inet 127.0.0.1 7500"]);
      await denied(a, "socket_connect", connect, ["EPERM"], { reason: "egress", object: "127.0.0.1:7500", target: 0n });
      const send = () => a.outcomes(["send inet 127.0.0.1 7500"]);
      await denied(a, "socket_sendmsg", send, ["EPERM"], { reason: "egress", object: "127.0.0.1:7500" });
      await denied(a, "socket_connect", () => a.outcomes(["connect inet6 ::1 7500"]), ["EPERM"], {
        object: "[::1]:7500",
      });
      await denied(a, "socket_bind", () => a.outcomes(["bind inet 127.0.0.1 7500"]), ["EPERM"], { reason: "ingress" });
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
      const alone = await HandMadeZone.make(state, "alone", policyOf(), { setup, unshare: ["--net"] });
      expect(await alone.outcomes(["listen inet 127.0.0.1 7700", "listen inet6 ::1 7700"])).toEqual(["OK", "OK"]);
      expect(alone.denials()).toEqual([]);
      const out = () => alone.outcomes(["connect inet 192.0.2.1 80"]);
      await denied(alone, "socket_connect", out, ["EPERM"], { reason: "egress", object: "192.0.2.1:80" });
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
      await denied(a, "unix_may_send", send, ["EPERM"], { reason: "other_zone", target: b.id });
      const toHost = () => a.outcomes([`send unix ${hostPath}`]);
      await denied(a, "unix_may_send", toHost, ["EPERM"], { reason: "host", object: hostPath });
      expect(tryOnHost([`send unix ${hostPath}`])).toEqual(["OK"]);
      closeSync(folder);
      host.kill("SIGKILL");
      server.kill("SIGKILL");
      rmSync(hostPath, { force: true });
    }, 120_000);

    test("a file that was open already is not mapped", async () => {
      const file = openSync("/etc/passwd", "r");
      const map = tries("mmap.mmap(3, 0, prot=mmap.PROT_READ)");
      await denied(a, "mmap_file", async () => (await a.run(map, [file])).stdout, "EACCES", {
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
      expect(a.denials()).toMatchObject([
        { hook: "file_receive", reason: "outside_mount_tree", object: "/etc/passwd" },
      ]);
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
      await denied(a, "cgroup_lock", () => a.outcomes([`open w ${file}`]), ["EACCES"], {
        reason: "cgroup",
        object: file,
      });
      await denied(a, "cgroup_lock", () => a.outcomes(["open w /sys/fs/cgroup/cgroup.procs"]), ["EACCES"]);
      mkdirSync(`${a.cgroup}/below`);
      expect(
        await a.outcomes([`open w ${a.cgroup}/below/cgroup.max.depth`, `write ${a.cgroup}/below/cgroup.procs 0`]),
      ).toEqual(["OK", "OK"]);
      expect(await a.outcomes([`open r ${file}`])).toEqual(["OK"]);
      await Bun.sleep(100);
      rmdirSync(`${a.cgroup}/below`);
    }, 120_000);

    test("a zone whose policy can't be found may do nothing that depends on it", async () => {
      const lost = await HandMadeZone.make(state, "lost");
      await lost.outcomes(["self"]);
      remove(state.map("rauha_policies"), u64(lost.id));
      const before = readCounters(state);
      expect(await lost.outcomes(["hostname rig", "unshare user", "connect inet 127.0.0.1 7400"])).toEqual([
        "EPERM",
        "EPERM",
        "EPERM",
      ]);
      expect((readCounters(state)["capable"]?.error ?? 0) - (before["capable"]?.error ?? 0)).toBeGreaterThanOrEqual(1);
      expect(lost.denials().map(({ reason }) => reason)).toContain("lookup_failed");
      await lost.end();
    }, 120_000);

    test("what is denied more often than is kept is counted", async () => {
      const noisy = await HandMadeZone.make(state, "noisy");
      const many = tries(...Array.from({ length: 300 }, () => `os.kill(${process.pid}, 0)`));
      const { stdout } = await noisy.run(many);
      expect(stdout.split("\n").filter((line) => line === "EPERM")).toHaveLength(300);
      expect(noisy.denials()).toHaveLength(256);
      await noisy.end();
    }, 120_000);

    test("processes in no zone are never touched", async () => {
      const before = readCounters(state);
      const folder = mkdtempSync("/var/tmp/bpf-host-");
      writeFileSync(`${folder}/file`, "");
      expect(tryOnHost([`open rw ${folder}/file`, `kill ${resident} 0`, `ptrace ${resident}`, "hostname rig"])).toEqual(
        ["OK", "OK", "OK", "OK"],
      );
      rmSync(folder, { recursive: true });
      expect(readCounters(state)).toEqual(before);
    }, 120_000);
  });
