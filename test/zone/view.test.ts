/** What a task sees without an option: programs and libraries, an own /tmp, /proc and /dev, and nothing of the host's life. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { outcomes, sandbox, tryInZone } from "../support/rauha.ts";

describe("the host's files", () => {
  test("of people, services and state are not there", async () => {
    const hidden = ["/home", "/root", "/srv", "/opt", "/media", "/mnt", "/boot", "/sys", "/lost+found", homedir()];
    const tried = await tryInZone(hidden.map((path) => ["stat", path]));
    expect(outcomes(tried)).toEqual(Object.fromEntries(hidden.map((path) => [`stat ${path}`, "ENOENT"])));
  });

  test("of /etc are those that programs need, and no account, no key, no password", async () => {
    const hidden = [
      "/etc/shadow",
      "/etc/gshadow",
      "/etc/sudoers",
      "/etc/ssh",
      "/etc/ssl/private",
      "/etc/fstab",
      "/etc/machine-id",
    ];
    const tried = await tryInZone([
      ...hidden.map((path) => ["stat", path]),
      ["read", "/etc/passwd"],
      ["read", "/etc/nsswitch.conf"],
    ]);
    for (const path of hidden) expect(outcomes(tried)[`stat ${path}`], path).toBe("ENOENT");
    const users = tried.answers
      .at(-2)
      ?.items.join("")
      .trim()
      .split("\n")
      .map((line) => line.split(":")[0]);
    expect(users?.filter((name) => !["root", "nobody", process.env["USER"], "user"].includes(name))).toEqual([]);
    expect(outcomes(tried)["read /etc/nsswitch.conf"]).toBe("OK");
  });

  test("of /usr are readable and can't be changed by anyone", async () => {
    const tried = await tryInZone([
      "exec /usr/bin/true",
      "create /usr/trace",
      "create /usr/bin/trace",
      "open w /usr/bin/env",
      "truncate /usr/bin/env 0",
      "unlink /usr/bin/env",
      "rename /usr/bin/env /usr/bin/vne",
      "chmod 0777 /usr/bin/env",
      "utimes /usr/bin/env",
    ]);
    const { "exec /usr/bin/true": neighbour, ...denied } = outcomes(tried);
    expect(neighbour).toBe("OK");
    // A read-only mount says EROFS; Landlock, which is asked first for some of these, says EACCES.
    for (const [attempt, outcome] of Object.entries(denied)) expect(`${attempt}: ${outcome}`).toMatch(/EROFS|EACCES/);
  });

  test("do not show in /tmp, /var/tmp, /run and /dev/shm, which are writable", async () => {
    const own = `made-inside-${process.pid}`;
    const folders = ["/tmp", "/var/tmp", "/run", "/dev/shm"];
    const tried = await tryInZone(
      folders.flatMap((path) => [
        ["list", path],
        ["create", `${path}/${own}`],
        ["list", path],
      ]),
    );
    for (const path of folders) {
      const lists = tried.answers.filter(({ attempt }) => attempt === `list ${path}`).map(({ items }) => items);
      expect({ path, lists }).toEqual({ path, lists: [[], [own]] });
      expect(readdirSync(path)).not.toContain(own);
    }
  });

  test("show in no mount but those of the view", async () => {
    const { answers } = await tryInZone(["mounts"]);
    const points = answers[0]?.items.map((line) => line.split(" ")[4] ?? "") ?? [];
    for (const point of points) expect(point).toMatch(/^\/($|usr|bin|sbin|lib|etc|tmp|var\/tmp|run|proc|dev|probe)/);
  });
});

describe("the root", () => {
  test("has these entries and no others", async () => {
    const { answers } = await tryInZone(["list /"]);
    const allowed = [
      ".rauha", // what the self-test tries to read, and no one can
      "bin",
      "dev",
      "etc",
      "lib",
      "lib32",
      "lib64",
      "libx32",
      "probe",
      "proc",
      "run",
      "sbin",
      "tmp",
      "usr",
      "var",
    ];
    expect(answers[0]?.items.filter((name) => !allowed.includes(name))).toEqual([]);
    expect(answers[0]?.items).toEqual(expect.arrayContaining(["bin", "dev", "etc", "proc", "tmp", "usr"]));
  });

  test("can't be written, nor can /etc", async () => {
    const tried = await tryInZone([
      "create /trace",
      "mkdir /trace",
      "create /etc/trace",
      "write /etc/passwd x",
      "unlink /etc/hosts",
    ]);
    expect(new Set(Object.values(outcomes(tried)))).toEqual(new Set(["EROFS"]));
  });

  test("empty, when the policy says so, has not even programs", async () => {
    const { exitCode, result } = await sandbox(["--policy", `${import.meta.dir}/empty-root.toml`], ["/bin/sh"]);
    expect({ exitCode, code: result.error?.code }).toEqual({ exitCode: 127, code: "command_not_found" });
  });
});

describe("/dev", () => {
  test("has few nodes, and terminals of the zone's own", async () => {
    const { answers } = await tryInZone(["list /dev", "list /dev/pts"]);
    expect(answers[0]?.items).toEqual([
      ...["fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"],
    ]);
    expect(answers[1]?.items).toEqual(["ptmx"]);
  });

  test("nodes work", async () => {
    const tried = await tryInZone([
      "write /dev/null x",
      ["read", "/dev/zero", "4"],
      ["read", "/dev/urandom", "16"],
      "write /dev/full x",
    ]);
    expect(tried.answers.map(({ outcome }) => outcome)).toEqual(["OK", "OK", "OK", "ENOSPC"]);
    expect(tried.answers[1]?.items).toEqual(["\0\0\0\0"]);
  });

  test("can't be added to", async () => {
    const tried = await tryInZone([
      "create /dev/trace",
      "unlink /dev/null",
      "mknod /dev/mem c 1 1",
      "mknod /tmp/mem c 1 1",
    ]);
    expect(outcomes(tried)).toMatchObject({
      "create /dev/trace": "EROFS",
      "unlink /dev/null": expect.stringMatching(/EROFS|EBUSY/),
    });
    for (const node of ["/dev", "/tmp"]) expect(outcomes(tried)[`mknod ${node}/mem c 1 1`]).toMatch(/EPERM|EROFS/);
  });
});

describe("/proc", () => {
  test("shows the zone's own processes only: pid 1 is its init", async () => {
    const { answers } = await tryInZone(["processes", "self"]);
    const pids = answers[0]?.items.map((item) => Number(item.split(" ")[0])) ?? [];
    expect(pids.length).toBeLessThanOrEqual(2);
    expect(pids[0]).toBe(1);
    expect(answers[1]?.items).toContain("ppid=1");
  });

  test("hides what OCI runtimes hide", async () => {
    const tried = await tryInZone([
      ["read", "/proc/keys"],
      ["read", "/proc/timer_list"],
      ["read", "/proc/kcore", "16"],
      ["list", "/proc/scsi"],
      ["list", "/proc/acpi"],
    ]);
    for (const { attempt, outcome, items } of tried.answers) {
      if (outcome === "OK") expect({ attempt, items }).toEqual({ attempt, items: [] });
      else expect(`${attempt} ${outcome}`).toMatch(/ENOENT|EACCES|EPERM/);
    }
  });

  test("lets no knob of the kernel be turned", async () => {
    const knobs = [
      "/proc/sys/kernel/hostname",
      "/proc/sys/vm/overcommit_memory",
      "/proc/sys/kernel/core_pattern",
      "/proc/sysrq-trigger",
    ];
    const tried = await tryInZone(knobs.map((path) => ["open", "w", path]));
    for (const { attempt, outcome } of tried.answers) expect(`${attempt} ${outcome}`).toMatch(/EROFS|EACCES|ENOENT/);
    expect(outcomes(await tryInZone([["read", "/proc/sys/kernel/hostname"]]))).toEqual({
      "read /proc/sys/kernel/hostname": "OK",
    });
  });

  test("tells nothing of the host's mounts and memory of others", async () => {
    const { answers } = await tryInZone([
      ["read", "/proc/1/environ"],
      ["readlink", "/proc/1/exe"],
      ["list", "/proc/1/fd"],
      ["readlink", "/proc/1/root"],
    ]);
    for (const { attempt, outcome } of answers) expect(`${attempt} ${outcome}`).toMatch(/EACCES|EPERM/);
  });
});

test("the host's kernel log is no business of a task's", async () => {
  const { answers } = await tryInZone(["syslog", "open r /dev/kmsg"]);
  expect(answers.map(({ outcome }) => outcome)).toEqual(["EPERM", "ENOENT"]);
});
