/** The zone's tree: what is shown, as what, and that nothing is made on the host. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountFlag, type PlanOp, stages } from "../../src/run/plan/contract.ts";
import { isRoot, launch, runners } from "./launch.ts";
import { groupId, type PlanParts, plan, userId } from "./plans.ts";

const made: string[] = [];
afterAll(() => made.forEach((path) => void rmSync(path, { recursive: true, force: true })));
const text = (content: string) => new TextEncoder().encode(content);

describe.each(runners)("as %s", (runner) => {
  let host = "";
  const owner = runner === "root" ? 0 : userId;
  /** Gives a path to whoever runs the launcher. */
  const own = (path: string) => isRoot && chownSync(path, owner, runner === "root" ? 0 : groupId);
  beforeEach(() => {
    host = mkdtempSync(join(tmpdir(), "rauha-test-mounts-"));
    made.push(host);
    chmodSync(host, 0o755);
    own(host);
    mkdirSync(join(host, "sub"));
    own(join(host, "sub"));
    writeFileSync(join(host, "file"), "content\n");
    own(join(host, "file"));
  });

  const run = (script: string, mounts: readonly PlanOp[], parts: Partial<PlanParts> = {}) =>
    launch(plan({ runner, argv: ["sh", "-c", script], mounts, ...parts }), { runner });
  const bind = (target: string, flags = 0, source = host): PlanOp => ({
    op: "bind",
    source,
    target,
    flags: flags | idmap,
  });
  const idmap = runner === "root" ? mountFlag.idmap : 0;

  test("the root is the zone's own, and '..' of it leads nowhere", async () => {
    const { output } = await run("ls -A /; stat -c %d:%i / /.. /../../..; cat /proc/self/mountinfo | wc -l", []);
    const lines = output(1).split("\n");
    const roots = lines.filter((line) => /^\d+:\d+$/.test(line));
    expect(roots).toHaveLength(3);
    expect(new Set(roots).size).toBe(1);
    expect(lines).toContain("usr");
    expect(lines).not.toContain("root");
    expect(lines).not.toContain("var");
    expect(Number(lines.at(-2))).toBeLessThan(40);
  });

  test("no mount of the zone's is seen on the host, none of the host's in the zone", async () => {
    const before = readFileSync("/proc/self/mountinfo", "utf8");
    const { output } = await run("cut -d' ' -f5 /proc/self/mountinfo", [bind("/w")]);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(before);
    const places = output(1).trim().split("\n");
    expect(places).toContain("/w");
    expect(places.filter((place) => /^\/(sys|boot|home|root|mnt|var)/.test(place))).toEqual([]);
  });

  test("the root is read-only, scratch directories are not", async () => {
    const script = "touch /x; mkdir /etc/x; touch /tmp/ok /run/ok && ls /tmp /run; stat -c '%a %U' /tmp /run";
    const { output } = await run(script, [], { readOnlyRoot: true });
    expect(output(2)).toContain("/x': Read-only file system");
    expect(output(1)).toContain("/tmp:\nok");
    expect(output(1)).toContain("1777");
    const writable = await run("touch /x && echo ok", [], { readOnlyRoot: false });
    expect(writable.output(1)).toBe("ok\n");
  });

  test("all that is writable in memory shares one quota", async () => {
    const fill = (path: string) => `head -c 9000000 /dev/zero > ${path} 2>/dev/null; stat -c %s ${path}`;
    const { output } = await run(`${fill("/tmp/a")}; ${fill("/run/b")}; ${fill("/dev/shm/c")}`, []);
    const sizes = output(1).trim().split("\n").map(Number);
    expect(sizes[0]).toBe(9_000_000);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(16 << 20);
    const many = await run("cd /tmp; i=0; while [ $i -lt 6000 ]; do : > f$i || exit 9; i=$((i+1)); done", []);
    expect(many.one("ended").status).not.toBe(0);
  });

  test("a bind shows the host's files, writable unless read-only", async () => {
    const { output } = await run("cat /w/file; echo new > /w/sub/new; echo no > /r/no; cat /r/file", [
      bind("/w"),
      bind("/r", mountFlag.readOnly),
    ]);
    expect(output(1)).toBe("content\ncontent\n");
    expect(output(2)).toContain("Read-only file system");
    expect(readFileSync(join(host, "sub/new"), "utf8")).toBe("new\n");
    expect(statSync(join(host, "sub/new")).uid).toBe(owner);
    expect(readdirSync(host).sort()).toEqual(["file", "sub"]);
  });

  test("nosuid and nodev always, noexec on demand", async () => {
    writeFileSync(join(host, "script"), "#!/bin/sh\necho ran\n");
    chmodSync(join(host, "script"), 0o755);
    own(join(host, "script"));
    const { output } = await run("/w/script; /n/script; grep -E ' /(w|n) ' /proc/self/mountinfo", [
      bind("/w"),
      bind("/n", mountFlag.noExec),
    ]);
    expect(output(1)).toStartWith("ran\n");
    expect(output(2)).toContain("Permission denied");
    const options = output(1).match(/ \/[wn] \S+/g) ?? [];
    expect(options).toHaveLength(2);
    for (const line of options) expect(line).toMatch(/nosuid,nodev/);
  });

  test("devices work where they are meant to", async () => {
    const script = "echo x > /dev/null && head -c 2 /dev/zero | od -An -tx1; head -c1 /w/null";
    const { output } = await run(script, [bindDevices()]);
    expect(output(1)).toContain("00 00");
    expect(output(2)).toContain("Permission denied");
  });
  const bindDevices = (): PlanOp => ({ op: "bind", source: "/dev/null", target: "/w/null", flags: 0 });

  test("targets are made with their parents, and only in the zone", async () => {
    const { output } = await run("cat /a/b/c/file; stat -c %a /a/b; ls -d /home/x/*", [
      bind("/a/b/c"),
      bind("/home/x/file", 0, join(host, "file")),
    ]);
    expect(output(1)).toBe("content\n755\n/home/x/file\n");
  });

  test("a missing target in a tree of the host's is refused: nothing is littered", async () => {
    const mounts = [bind("/w"), bind("/w/new/place", 0, join(host, "sub"))];
    const { one } = await run("true", mounts);
    expect(one("failed")).toMatchObject({ errno: 30, step: "make target in a tree of the host" });
    const file: PlanOp = { op: "file", target: "/w/litter", mode: 0o644, content: text("x") };
    expect((await run("true", [bind("/w"), file])).one("failed").errno).toBe(30);
    const link: PlanOp = { op: "symlink", value: "x", target: "/w/litter" };
    expect((await run("true", [bind("/w"), link])).one("failed").errno).toBe(30);
    expect(readdirSync(host).sort()).toEqual(["file", "sub"]);
  });

  test("scratch in a tree of the host's hides what is there, and writes nothing", async () => {
    writeFileSync(join(host, "sub/old"), "");
    const { output } = await run("ls /w/sub; touch /w/sub/new && ls /w/sub", [
      bind("/w"),
      { op: "scratch", target: "/w/sub", mode: 0o777, flags: 0 },
    ]);
    expect(output(1)).toBe("new\n");
    expect(readdirSync(join(host, "sub"))).toEqual(["old"]);
  });

  test("a symlink in the zone leads to places of the zone", async () => {
    symlinkSync("/etc", join(host, "link"));
    const { output } = await run("cat /etc/from-host; ls /w", [
      bind("/w"),
      { op: "dir", target: "/etc", mode: 0o755 },
      bind("/w/link/from-host", 0, join(host, "file")),
    ]);
    expect(output(1)).toContain("content\n");
    expect(existsSync("/etc/from-host")).toBe(false);
  });

  test("sources: symlinks are followed only where the plan says so", async () => {
    symlinkSync("sub", join(host, "link"));
    symlinkSync("/etc/passwd", join(host, "out"));
    const linked = bind("/x", 0, join(host, "link"));
    expect((await run("true", [linked])).one("failed")).toMatchObject({ errno: 40 });
    const through = bind("/x", 0, `${host}/link/../sub`);
    expect((await run("true", [through])).one("failed")).toMatchObject({ errno: 40, step: "openat2" });
    const followed = bind("/x", mountFlag.followSource, join(host, "link"));
    expect((await run("ls -d /x", [followed])).output(1)).toBe("/x\n");
    const copied: PlanOp = { op: "copy", source: join(host, "out"), target: "/x", mode: 0o644, flags: 0 };
    expect((await run("true", [copied])).one("failed").errno).toBe(40);
    const magic = bind("/x", mountFlag.followSource, "/proc/self/cwd");
    expect((await run("true", [magic])).one("failed").errno).toBe(40);
  });

  test("mirror: a symlink is made again, anything else is bound", async () => {
    symlinkSync("no/where", join(host, "dangling"));
    const mirror = (name: string): PlanOp => ({
      op: "mirror",
      source: join(host, name),
      target: `/m/${name}`,
      flags: mountFlag.readOnly,
    });
    const { output } = await run("readlink /m/dangling; cat /m/file; ls -d /m/sub", [
      mirror("dangling"),
      mirror("file"),
      mirror("sub"),
    ]);
    expect(output(1)).toBe("no/where\ncontent\n/m/sub\n");
  });

  test("copy: the content with the plan's mode, small regular files only", async () => {
    const copy = (source: string, flags = 0): PlanOp => ({ op: "copy", source, target: "/c/copy", mode: 0o640, flags });
    const { output } = await run("cat /c/copy; stat -c '%a %s' /c/copy; grep -c /c/copy /proc/self/mountinfo", [
      copy(join(host, "file")),
    ]);
    expect(output(1)).toBe("content\n640 8\n0\n");
    writeFileSync(join(host, "big"), Buffer.alloc((1 << 20) + 1));
    own(join(host, "big"));
    expect((await run("true", [copy(join(host, "big"))])).one("failed")).toMatchObject({ errno: 27, step: "copy" });
    writeFileSync(join(host, "max"), Buffer.alloc(1 << 20, 65));
    own(join(host, "max"));
    expect((await run("wc -c < /c/copy", [copy(join(host, "max"))])).output(1)).toBe("1048576\n");
    expect((await run("true", [copy(host)])).one("failed").errno).toBe(21);
    expect((await run("true", [copy("/dev/zero")])).one("failed").errno).toBe(22);
    Bun.spawnSync(["mkfifo", join(host, "fifo")]);
    expect((await run("true", [copy(join(host, "fifo"))])).one("failed").errno).toBe(22);
  });

  test("what is optional is passed over and reported; what is not, is not", async () => {
    const missing = join(host, "missing");
    const ops = plan({ runner, argv: ["true"], mounts: [bind("/x", mountFlag.optional, missing)] });
    const { all, one } = await launch(ops, { runner });
    const index = ops.findIndex((op) => op.op === "bind" && op.source === missing);
    expect(all("skipped").filter(({ op }) => op === index)).toMatchObject([{ errno: 2, step: "openat2" }]);
    expect(one("ended").status).toBe(0);
    const failed = (await run("true", [bind("/x", 0, missing)])).one("failed");
    expect(failed).toMatchObject({ errno: 2, detail: missing });
    expect(stages[failed.stage]).toBe("mount");
    const expected: PlanOp = { op: "expect", source: missing, flags: 0 };
    expect((await run("true", [expected])).one("failed")).toMatchObject({ errno: 2, detail: missing });
    expect((await run("true", [{ op: "expect", source: host, flags: 0 }])).one("ended").status).toBe(0);
  });

  test("the kind of a source is checked on what was opened", async () => {
    const file = bind("/x", mountFlag.expectDir, join(host, "file"));
    expect((await run("true", [file])).one("failed").errno).toBe(20);
    expect((await run("true", [bind("/x", mountFlag.expectFile)])).one("failed").errno).toBe(21);
  });

  test("mask: a directory is empty, a file is empty, and neither can be written", async () => {
    const { output } = await run("ls -A /w/sub; cat /w/file; echo x > /w/file; touch /w/sub/x; rm -rf /w/sub", [
      bind("/w"),
      { op: "mask", target: "/w/sub", flags: 0 },
      { op: "mask", target: "/w/file", flags: 0 },
    ]);
    expect(output(1)).toBe("");
    expect(output(2).match(/Read-only file system/g)).toHaveLength(2);
    expect(output(2)).toMatch(/busy/i);
    expect(readFileSync(join(host, "file"), "utf8")).toBe("content\n");
    expect((await run("true", [{ op: "mask", target: "/not/there", flags: 0 }])).one("failed").errno).toBe(2);
  });

  test("read_only: at a path and below, while what is around stays writable", async () => {
    const { output } = await run("echo 1 > /w/sub/x; echo 2 > /w/y && cat /w/y; mv /w/sub /w/z", [
      bind("/w"),
      { op: "read_only", target: "/w/sub", flags: 0 },
    ]);
    expect(output(1)).toBe("2\n");
    expect(output(2)).toContain("Read-only file system");
    expect(output(2)).toMatch(/busy/i);
  });

  test("/proc is the zone's, without the host's knobs", async () => {
    const script =
      "ls /proc | grep -c '^[0-9]'; cat /proc/1/cmdline | tr '\\0' ' '; echo; cat /proc/keys | wc -c; echo 1 > /proc/sys/kernel/hostname; ls -l /proc/1/exe";
    const { output } = await run(script, []);
    expect(Number(output(1).split("\n")[0])).toBeLessThan(6);
    expect(output(2)).toContain("Read-only file system");
    expect(output(2)).toMatch(/\/proc\/1\/exe.*Permission denied/);
    expect(output(1)).toContain("\n0\n");
  });

  test("sysfs shows the zone's own devices, read-only", async () => {
    const { output } = await run("ls /sys/class/net; touch /sys/x 2>&1 | head -1; grep ' /sys ' /proc/self/mountinfo", [
      { op: "sysfs", target: "/sys" },
    ]);
    expect(output(1)).toStartWith("lo\n");
    expect(output(1)).toMatch(/ \/sys ro,nosuid,nodev,noexec/);
  });

  test("host name, loopback", async () => {
    const { output } = await run("hostname; cat /proc/net/dev | grep -c :; cat /sys/class/net/lo/operstate", [
      { op: "sysfs", target: "/sys" },
    ]);
    expect(output(1)).toBe("zone\n1\nunknown\n");
  });

  test("files, directories and symlinks of the plan's belong to the zone's user", async () => {
    const { output } = await run("stat -c '%u %a %F' /f /d /l; cat /f; readlink /l", [
      { op: "file", target: "/f", mode: 0o600, content: text("hi\n") },
      { op: "dir", target: "/d", mode: 0o1777 },
      { op: "symlink", value: "../x", target: "/l" },
    ]);
    const lines = [`${owner} 600 regular file`, `${owner} 1777 directory`, `${owner} 777 symbolic link`, "hi", "../x"];
    expect(output(1)).toBe(`${lines.join("\n")}\n`);
    const twice: PlanOp = { op: "file", target: "/f", mode: 0o600, content: text("") };
    expect((await run("true", [twice, twice])).one("failed").errno).toBe(17);
  });
});
