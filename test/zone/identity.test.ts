/** Who the task is: inside, and outside where it counts. Root inside is nobody outside. */
import { describe, expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { descendantsOf } from "../support/host-snapshot.ts";
import { gid, isRoot, uid } from "../support/identity.ts";
import { asRecord, PROBE, probeBind } from "../support/probe.ts";
import { outcomes, sandbox, start, tryInZone } from "../support/rauha.ts";

const own = isRoot ? { uid: 0, gid: 0 } : { uid, gid };

describe("inside", () => {
  test("the task has the caller's id, in every form of it, and no group besides", async () => {
    const { answers } = await tryInZone(["ids"]);
    const ids = asRecord(answers[0]?.items ?? []);
    expect(ids["uid"]).toBe(Array(4).fill(own.uid).join());
    expect(ids["gid"]).toBe(Array(4).fill(own.gid).join());
    expect(ids["groups"]).toBeOneOf(["", "65534", String(own.gid)]);
  });

  test("--user 0 is root", async () => {
    const { result } = await sandbox(["--user", "0"], ["sh", "-c", "id -u; id -g; whoami"]);
    expect(result.stdout).toBe("0\n0\nroot\n");
  });

  test("--user 1000:1001 is that", async () => {
    const { result } = await sandbox(["--user", "1000:1001"], ["sh", "-c", "id -u; id -g"]);
    expect(result.stdout).toBe("1000\n1001\n");
  });

  test("it can't become anyone else, nor take a group", async () => {
    const tried = await tryInZone(["setuid 12345", "setgid 12345", "setgroups 12345", "setuid 0"], ["--user", "1000"]);
    for (const { attempt, outcome } of tried.answers) expect(`${attempt}: ${outcome}`).toMatch(/EPERM|EINVAL/);
  });

  test("it has no capability in any set, and can't get one back", async () => {
    for (const flags of [[], ["--user", "0"]]) {
      const tried = await tryInZone(["caps", "cap-raise 21", "cap-raise 0", "cap-ambient 21"], flags);
      const none = "0".repeat(16);
      expect(asRecord(tried.answers[0]?.items ?? [])).toEqual({
        effective: none,
        permitted: none,
        inheritable: none,
        bounding: none,
        ambient: none,
        no_new_privs: "1",
      });
      for (const { attempt, outcome } of tried.answers.slice(1))
        expect(`${attempt}: ${outcome}`).toBe(`${attempt}: EPERM`);
    }
  });

  test("its home, name and host name are the zone's", async () => {
    const { result } = await sandbox(
      ["--hostname", "quiet"],
      ["sh", "-c", "hostname; echo $HOME $USER; cat /etc/hostname"],
    );
    const [hostname, names, file] = result.stdout?.split("\n") ?? [];
    expect({ hostname, file }).toEqual({ hostname: "quiet", file: "quiet" });
    expect(names).toMatch(isRoot ? /^\/tmp root$/ : /^\/tmp (?!root)\w+$/);
  });
});

describe("outside", () => {
  test("its processes belong to an id that is not root, and not a login", async () => {
    const child = start(["sandbox", ...probeBind, "--user", "0", "--", PROBE, "sleep", "60"]);
    try {
      const task = await findTask(child.pid, "probe");
      const [, real, effective] = /^Uid:\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${task}/status`, "utf8")) ?? [];
      expect(real).toBe(effective ?? "");
      if (isRoot) expect(Number(real)).toBeGreaterThanOrEqual(0x7000_0000);
      else expect(Number(real)).toBe(uid);
    } finally {
      child.kill("SIGTERM");
      await child.exited;
    }
  });

  test("files that it makes in a writable workspace belong to the caller", async () => {
    const folder = makeFolder("owner");
    for (const user of [[], ["--user", "0"]]) {
      const name = join(folder, `made${user.length}`);
      await tryInZone(
        [
          ["create", name],
          ["mkdir", `${name}.d`],
        ],
        ["--repo-path", folder, "--repo-mode", "rw", ...user],
      );
      for (const path of [name, `${name}.d`]) {
        const { uid: fileUid, gid: fileGid } = statSync(path);
        expect({ path, fileUid, fileGid }).toEqual({ path, fileUid: uid, fileGid: gid });
      }
    }
    expect(readdirSync(folder)).toHaveLength(4);
  });

  test("the caller's private files in the workspace are readable and writable inside", async () => {
    const folder = writeFiles(makeFolder("private"), { "secret.txt": "mine\n" });
    chmodSync(join(folder, "secret.txt"), 0o600);
    const tried = await tryInZone(
      [
        ["read", join(folder, "secret.txt")],
        ["write", join(folder, "secret.txt"), "changed"],
        ["stat", join(folder, "secret.txt")],
      ],
      ["--repo-path", folder, "--repo-mode", "rw"],
    );
    expect(tried.answers.map(({ outcome }) => outcome)).toEqual(["OK", "OK", "OK"]);
    expect(tried.answers[2]?.items.slice(1, 3)).toEqual(["0600", `${own.uid}:${own.gid}`]);
    expect(readFileSync(join(folder, "secret.txt"), "utf8")).toBe("changed");
  });

  test("files of the view that only root may read stay unreadable, even for root inside", async () => {
    const candidates = [
      "/usr/bin/sudo",
      "/usr/lib/dbus-1.0/dbus-daemon-launch-helper",
      "/usr/libexec/polkit-agent-helper-1",
    ];
    const before = await tryInZone(
      candidates.map((path) => ["open", "r", path]),
      ["--user", "0"],
    );
    for (const { attempt, outcome } of before.answers) {
      const path = attempt.split(" ")[2] ?? "";
      const mode = modeOf(path);
      if (mode === undefined) expect(outcome).toBe("ENOENT");
      else if ((mode & 0o004) === 0) expect(`${attempt}: ${outcome}`).toBe(`${attempt}: EACCES`);
    }
    expect(outcomes(await tryInZone(["open r /usr/bin/env"], ["--user", "0"]))).toEqual({
      "open r /usr/bin/env": "OK",
    });
  });
});

function modeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mode;
}

async function findTask(launcher: number, name: string): Promise<number> {
  for (const end = performance.now() + 10_000; performance.now() < end; await Bun.sleep(10)) {
    const task = descendantsOf(launcher).find((process) => process.name === name);
    if (task !== undefined) return task.pid;
  }
  throw new Error(`no process ${name} below ${launcher}`);
}
