/** The mount tree: nothing can be mounted, unmounted, made writable again, or walked out of. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { patient } from "../support/identity.ts";
import { expectAllowed, expectDenied } from "../support/layers.ts";
import { probePath } from "../support/probe.ts";
import { sandbox, tryInZone } from "../support/rauha.ts";
import { fingerprint } from "../support/tree.ts";

const users: readonly (readonly string[])[] = [[], ["--user", "0"]];
const eachUser = users.map((user) => ({ user }));

describe("mounting", () => {
  const attempts = [
    ["mount", "none", "/tmp", "tmpfs"],
    ["mount", "proc", "/tmp", "proc"],
    ["mount", "sysfs", "/tmp", "sysfs"],
    ["mount", "none", "/tmp", "cgroup2"],
    ["mount", "/usr", "/tmp", "none", "bind"],
    ["mount", "/dev/vda", "/tmp", "ext4"],
    ["mount", "none", "/usr", "none", "remount,bind"],
    ["mount", "none", "/", "none", "remount"],
    ["mount", "none", "/", "none", "rec,shared"],
    ["mount", "/tmp", "/var/tmp", "none", "move"],
    ["umount", "/proc/keys"],
    ["umount", "/proc/sys"],
    ["umount", "/usr"],
    ["fsopen", "tmpfs"],
    ["open-tree", "/usr"],
    ["move-mount", "/tmp", "/var/tmp"],
    ["mount-setattr", "/usr"],
    ["pivot", "/tmp", "/tmp"],
    ["chroot", "/tmp"],
  ];

  test.each(eachUser)("is refused, old calls and new ones $user", async ({ user }) => {
    const tried = await tryInZone([...attempts, "create /tmp/neighbour"], user);
    for (const words of attempts) expectDenied(tried, words.join(" "), "capabilities", "EPERM");
    expectAllowed(tried, "create /tmp/neighbour");
  });

  test.each(eachUser)("in a user namespace of one's own is refused with the namespace $user", async ({ user }) => {
    const tried = await tryInZone(
      [
        "unshare user",
        "unshare user,mount",
        "clone-raw user",
        "clone-raw user,mount",
        "clone3 user",
        "unshare mount",
        "setns /proc/self/ns/mnt",
        "clone-raw none",
      ],
      user,
    );
    for (const attempt of ["unshare user", "unshare user,mount", "clone-raw user", "clone-raw user,mount"])
      expectDenied(tried, attempt, "syscalls", "EPERM");
    // The flags of clone3 lie in memory where no filter looks: the call is not there at all, and libraries fall back to clone.
    expectDenied(tried, "clone3 user", "syscalls", "ENOSYS");
    expectDenied(tried, "unshare mount", "capabilities", "EPERM");
    expectDenied(tried, "setns /proc/self/ns/mnt", "capabilities", "EPERM");
    expectAllowed(tried, "clone-raw none");
  });

  test("a chroot does not lead out twice, as there is no chroot", async () => {
    const tried = await tryInZone(
      ["mkdir /tmp/a", "open dir /", "chroot /tmp/a", "fchdir 3", "chdir ../../../..", "chroot .", "list /root"],
      ["--user", "0"],
    );
    expectDenied(tried, "chroot /tmp/a", "capabilities", "EPERM");
    expectDenied(tried, "list /root", "view", "ENOENT");
    expectAllowed(tried, "mkdir /tmp/a");
  });
});

describe("a repository that contains symlinks where the zone mounts", () => {
  test(".git, .vscode and the like as links to folders of the host's are not followed out of the workspace", async () => {
    const outside = writeFiles(makeFolder("outside"), {
      "hooks/victim": "as it was",
      config: "as it was",
      "commands/x": "as it was",
    });
    const folder = makeFolder("linked");
    for (const name of [".git", ".vscode", ".idea", ".claude", ".mcp.json", ".bashrc", ".profile"])
      symlinkSync(outside, join(folder, name));
    const before = fingerprint(outside);
    const tried = await sandbox(
      ["--repo-path", folder, "--repo-mode", "rw"],
      [
        "sh",
        "-c",
        `echo evil >.git/config; echo evil >.git/hooks/new; echo evil >.vscode/config; ls ${outside} && echo visible`,
      ],
    );
    expect(tried.result.stdout ?? "").not.toContain("visible");
    expect(fingerprint(outside)).toEqual(before);
  });

  test("the workspace's path is not a link that the task can turn: it was opened before the task ran", async () => {
    const parent = writeFiles(makeFolder("turn"), { "real/file": "r", "other/secret": "s" });
    const link = join(parent, "repo");
    symlinkSync("real", link);
    const run = sandbox(["--repo-path", link, "--repo-mode", "ro"], ["sh", "-c", `sleep ${patient(0.5)}; ls`]);
    await Bun.sleep(patient(250));
    symlinkSync("other", `${link}.new`);
    renameSync(`${link}.new`, link);
    expect((await run).result.stdout).toBe("file\n");
  });

  test("a link that is turned all the time while zones start shows one or the other, never a third", async () => {
    const parent = writeFiles(makeFolder("race"), { "a/name": "a", "b/name": "b" });
    const racer = Bun.spawn(
      [probePath, "race-symlink", join(parent, "link"), join(parent, "a"), join(parent, "b"), "4000"],
      { stdout: "ignore" },
    );
    await Bun.sleep(50);
    for (let i = 0; i < 20; i++) {
      const { result, exitCode } = await sandbox(
        ["--ro-bind", `${join(parent, "link")}:/shown`],
        ["sh", "-c", "cat /shown/name; ls /shown"],
      );
      if (exitCode === 0) expect(result.stdout).toMatch(/^[ab]name\n$/);
      else expect(result.status).toBe("runtime_error");
    }
    racer.kill();
    await racer.exited;
  }, 60_000);

  test("links at targets of the view's own mounts lead nowhere: /tmp, /proc and /dev of the zone are its own", async () => {
    const folder = makeFolder("targets");
    symlinkSync("/etc", join(folder, "link"));
    const { exitCode, result } = await sandbox(
      ["--repo-path", folder, "--repo-mode", "rw", "--ro-bind", `/usr/bin:${folder}/link/mounted`],
      ["sh", "-c", "ls /etc/mounted"],
    );
    if (exitCode === 0) expect(result.stdout).toContain("env");
    expect(existsSync("/etc/mounted")).toBe(false);
    expect(readdirSync(folder)).toEqual(["link"]);
  });
});

describe("links out of the workspace", () => {
  test("that the task makes lead to the zone's files for the task, and are only names on the host", async () => {
    const folder = makeFolder("links");
    const tried = await tryInZone(
      [
        ["symlink", "/etc/shadow", join(folder, "shadow")],
        ["open", "r", join(folder, "shadow")],
        ["symlink", "/etc/hostname", join(folder, "name")],
        ["read", join(folder, "name")],
      ],
      ["--repo-path", folder, "--repo-mode", "rw"],
    );
    expectDenied(tried, `open r ${join(folder, "shadow")}`, "view");
    expect(tried.answers[3]).toMatchObject({ outcome: "OK", items: ["rauha\n"] });
    expect(readFileSync(join(folder, "name"), "utf8")).toBe(readFileSync("/etc/hostname", "utf8"));
  });

  test("hard ones can't be made: another file system, or no right to", async () => {
    const folder = writeFiles(makeFolder("links"), { "own.txt": "o" });
    const tried = await tryInZone(
      [
        ["link", "/usr/bin/env", join(folder, "env")],
        ["link", "/etc/passwd", join(folder, "passwd")],
        ["link", join(folder, "own.txt"), join(folder, "again")],
      ],
      ["--repo-path", folder, "--repo-mode", "rw"],
    );
    expect(tried.answers.slice(0, 2).map(({ outcome }) => outcome)).toEqual(["EXDEV", "EXDEV"]);
    expect(tried.answers[2]?.outcome).toBe("OK");
  });
});

test("a handle opens no file past the view (open_by_handle_at, the shocker)", async () => {
  for (const user of users) {
    const tried = await tryInZone(["open-by-handle / /etc/passwd", "open-by-handle /usr /usr/bin/env"], user);
    for (const { attempt } of tried.answers) expectDenied(tried, attempt, "capabilities", "EPERM");
  }
});
