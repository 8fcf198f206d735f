/** What would arm a zone, or disarm Rauha: each hook with what it denies, what it lets pass, and what it says. The zones are the host's root (zones.ts). */
import { beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { u64 } from "../../../src/bpf/zone-entry.ts";
import { remove } from "../../../src/linux/bpf/map-calls.ts";
import { policyOf } from "./policies.ts";
import { describeGuarded, expectDenied, readCounters } from "./programs.ts";
import { tries } from "./tries.ts";
import { type HandMadeZone, tryOnHost } from "./zones.ts";

describeGuarded("privileges", (guard) => {
  let a: HandMadeZone;
  let resident = 0;

  beforeAll(async () => {
    a = await guard.zone("a");
    resident = await (await guard.zone("b")).resident([]);
    await a.outcomes(["self"]);
  }, 400_000);

  test("bpf(2), and what is pinned", async () => {
    const map = "/sys/fs/bpf/rauha/maps/rauha_zones";
    await expectDenied(a, "bpf", () => a.outcomes(["bpf"]), ["EPERM"], { reason: "never", number: 0 });
    await expectDenied(a, "file_open", () => a.outcomes([`open r ${map}`]), ["EACCES"], { reason: "never" });
    const unlink = tries(`os.unlink("${map}")`, 'os.mkdir("/sys/fs/bpf/rauha/x")');
    await expectDenied(a, "path_change", async () => (await a.run(unlink)).stdout, "EACCES\nEACCES", {
      reason: "never",
    });
    expect(existsSync(map)).toBe(true);
    expect(tryOnHost(["bpf"])).toEqual(["OK"]);
  }, 120_000);

  test("mounts", async () => {
    const folder = a.folder;
    await expectDenied(a, "sb_mount", () => a.outcomes([`mount none ${folder} tmpfs`]), ["EPERM"], {
      reason: "policy",
    });
    await expectDenied(a, "sb_umount", () => a.outcomes([`umount ${folder}`]), ["EPERM"]);
    await expectDenied(a, "sb_pivotroot", () => a.outcomes([`pivot ${folder} ${folder}`]), ["EPERM"]);
  }, 120_000);

  /** open_tree(2) of a copy and move_mount(2); fspick(2) and fsconfig(2) with FSCONFIG_CMD_RECONFIGURE: x86-64's numbers. */
  const newMounts = (folder: string) => ({
    move: tries(`call("syscall", 429, call("syscall", 428, -100, b"${folder}", 1), b"", -100, b"${folder}", 4)`),
    change: tries(`call("syscall", 431, call("syscall", 433, -100, b"${folder}", 0), 7, None, None, 0)`),
  });

  test("mounts, by the newer system calls", async () => {
    const { move, change } = newMounts(a.folder);
    const event = { reason: "policy" };
    await expectDenied(a, "move_mount", async () => (await a.run(move)).stdout, "EPERM", event);
    await expectDenied(a, "sb_remount", async () => (await a.run(change)).stdout, "EPERM", event);
  }, 120_000);

  test("mounts, where the policy has them", async () => {
    const mounting = await guard.zone(
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
    await expectDenied(a, "userns_create", () => a.outcomes(["unshare user"]), ["EPERM"], { reason: "policy" });
    expect(tryOnHost(["unshare user"])).toEqual(["OK"]);
  }, 120_000);

  test("profiling", async () => {
    await expectDenied(a, "perf_event_open", () => a.outcomes(["perf"]), ["EPERM"], { reason: "never" });
  }, 120_000);

  test("kernel modules, read from a file", async () => {
    // finit_module(2); what is outside of every zone gets as far as to what the file holds.
    const load = (path: string) =>
      tries(`open("${path}", "w").write("x" * 100)`, `call("syscall", 313, os.open("${path}", 0), b"", 0)`);
    const run = async () => (await a.run(load(`${a.folder}/module`))).stdout;
    await expectDenied(a, "kernel_read_file", run, "OK\nEPERM", { reason: "never", number: 2 });
    const path = `/var/tmp/bpf-module-${process.pid}`;
    expect(Bun.spawnSync([...load(path)]).stdout.toString()).toBe("OK\nENOEXEC\n");
    rmSync(path);
  }, 120_000);

  test("kernel modules: given, and asked for by a rare socket", async () => {
    // init_module(2) with something that is long enough to be looked at.
    const load = tries('call("syscall", 175, ctypes.create_string_buffer(8192), 8192, b"")');
    await expectDenied(a, "kernel_load_data", async () => (await a.run(load)).stdout, "EPERM", { reason: "never" });
    await expectDenied(a, "kernel_module_request", () => a.outcomes(["socket 21 5"]), ["EAFNOSUPPORT"], {
      object: "net-pf-21",
    });
  }, 120_000);

  test("capabilities outside the mask, and no others", async () => {
    const bare = await guard.zone(
      "bare",
      policyOf(() => ({ capabilities: { allowed: ["CAP_KILL"] } })),
    );
    const name = "hostname rig";
    await expectDenied(bare, "capable", () => bare.outcomes([name]), ["EPERM"], { reason: "capability", number: 21 });
    expect(await bare.outcomes(["kill 0 0"])).toEqual(["OK"]);
    expect(await a.outcomes([name])).toEqual(["OK"]);
    await bare.end();
  }, 120_000);

  test("tracing, where the policy forbids it even inside", async () => {
    const untraced = await guard.zone(
      "untraced",
      policyOf(({ syscalls }) => ({ syscalls: { ...syscalls, deny: ["ptrace"] } })),
    );
    const own = await untraced.resident([]);
    const trace = () => untraced.outcomes([`ptrace ${own}`]);
    await expectDenied(untraced, "ptrace_access_check", trace, ["EPERM"], { reason: "policy" });
    await untraced.end();
  }, 120_000);

  test("a zone whose policy can't be found may do nothing that depends on it", async () => {
    const lost = await guard.zone("lost");
    await lost.outcomes(["self"]);
    remove(guard.state.map("rauha_policies"), u64(lost.id));
    const before = readCounters(guard.state);
    expect(await lost.outcomes(["hostname rig", "unshare user", "connect inet 127.0.0.1 7400"])).toEqual([
      "EPERM",
      "EPERM",
      "EPERM",
    ]);
    expect((readCounters(guard.state)["capable"]?.error ?? 0) - (before["capable"]?.error ?? 0)).toBeGreaterThanOrEqual(
      1,
    );
    expect(lost.denials().map(({ reason }) => reason)).toContain("lookup_failed");
    await lost.end();
  }, 120_000);

  test("what is denied more often than is kept is counted", async () => {
    const noisy = await guard.zone("noisy");
    const many = tries(...Array.from({ length: 300 }, () => `os.kill(${process.pid}, 0)`));
    const { stdout } = await noisy.run(many);
    expect(stdout.split("\n").filter((line) => line === "EPERM")).toHaveLength(300);
    expect(noisy.denials()).toHaveLength(256);
    await noisy.end();
  }, 120_000);

  test("processes in no zone are never touched", async () => {
    const before = readCounters(guard.state);
    const folder = mkdtempSync("/var/tmp/bpf-host-");
    writeFileSync(`${folder}/file`, "");
    expect(tryOnHost([`open rw ${folder}/file`, `kill ${resident} 0`, `ptrace ${resident}`, "hostname rig"])).toEqual([
      "OK",
      "OK",
      "OK",
      "OK",
    ]);
    rmSync(folder, { recursive: true });
    expect(readCounters(guard.state)).toEqual(before);
  }, 120_000);
});
