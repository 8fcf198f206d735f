/** Zones from images: what the image says holds, what the sandbox promises holds the same, and the image is never written to. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { gid, isRoot, kernelIsAtLeast, needs, patient, uid } from "../support/identity.ts";
import { type Attempt, attemptWords, PROBE, parseAnswers, probeBind } from "../support/probe.ts";
import { parseResult, sandbox, start } from "../support/rauha.ts";
import { fingerprint } from "../support/tree.ts";
import { type TarPart, tarOf } from "./tar-builder.ts";
import { testStore } from "./zone-store.ts";

const dir = (name: string, more: Partial<TarPart> = {}): TarPart => ({ name, type: "5", mode: 0o755, ...more });
const file = (name: string, content = "", more: Partial<TarPart> = {}): TarPart => ({ name, content, ...more });
const link = (name: string, value: string): TarPart => ({ name, type: "2", link: value });

const busybox = readFileSync("/bin/busybox");
const applets = [
  "sh",
  "ls",
  "cat",
  "id",
  "echo",
  "mkdir",
  "rm",
  "touch",
  "env",
  "stat",
  "sleep",
  "mount",
  "true",
  "pwd",
  "mv",
  "ln",
];
const base = tarOf([
  dir("bin"),
  file("bin/busybox", busybox.toString("latin1"), { mode: 0o755 }),
  ...applets.map((name) => link(`bin/${name}`, "busybox")),
  dir("etc"),
  file(
    "etc/passwd",
    "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:App:/home/app:/bin/sh\n1234:x:77:78::/odd:/bin/sh\n",
  ),
  file("etc/group", "root:x:0:\napp:x:1001:\nextra:x:1002:other,app\n"),
  file("etc/hosts", "6.6.6.6 evil\n"),
  link("etc/resolv.conf", "../run/resolve/stub"),
  dir("root", { mode: 0o700 }),
  dir("home"),
  dir("home/app", { uid: 1000, gid: 1001 }),
  dir("var"),
  dir("var/old"),
  file("var/old/gone", "x"),
  file("var/kept", "kept"),
  file("bin/setuid", "#!/bin/sh\n", { mode: 0o4755 }),
]);
const top = tarOf([dir("var"), dir("var/old"), file("var/old/.wh.gone"), dir("opt"), file("opt/top", "top")]);
const layers = [{ archive: base }, { archive: top }];

const store = testStore();
await store.add("base", { layers });
const sh = (script: string, flags: readonly string[] = [], image = "base") =>
  store.run(image, ["sh", "-c", script], flags);

async function tried(attempts: readonly Attempt[], flags: readonly string[] = []) {
  const { result } = await store.run("base", [PROBE, ...attemptWords(attempts)], [...probeBind, ...flags]);
  if (result.error !== null) throw new Error(result.error.message);
  return Object.fromEntries(parseAnswers(result.stdout ?? "").map(({ attempt, outcome }) => [attempt, outcome]));
}

describe("the root is the image", () => {
  test("whiteouts are gone, upper layers are on top, nothing of the host shows", async () => {
    const { result } = await sh("ls /; ls /var/old; cat /opt/top /var/kept; ls /usr /lib 2>&1");
    expect(result.stdout?.split("\n")).toEqual([
      ..."bin dev etc home opt proc root tmp var".split(" "),
      "topkeptls: /usr: No such file or directory",
      "ls: /lib: No such file or directory",
      "",
    ]);
    expect(result.image).toEqual({ reference: "base", digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
  });

  test("the zone's own hosts, hostname and resolv.conf take the place of the image's, a symlink's too", async () => {
    const { result } = await sh("cat /etc/hosts /etc/hostname; stat -c %F /etc/resolv.conf", ["--hostname", "here"]);
    expect(result.stdout).toBe(
      "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\there\nhere\nregular empty file\n",
    );
  });

  test("all of it can be written to, and nothing of that reaches the store", async () => {
    const before = fingerprint(join(store.root, "layers"));
    const script = `set -e; echo new > /etc/passwd; rm /var/kept; mkdir /opt/d; mv /opt/top /opt/d; rm -r /home/app
      echo x >> /bin/setuid; ln /etc/group /etc/linked; touch /bin/busybox; cat /etc/passwd; ls /opt /var`;
    const { result } = await sh(script);
    expect([result.stderr, result.stdout]).toEqual(["", "new\n/opt:\nd\n\n/var:\nold\n"]);
    expect(fingerprint(join(store.root, "layers"))).toEqual(before);
    expect((await sh("cat /var/kept /opt/top")).result.stdout).toBe("kepttop");
  });

  needs("Linux 6.6", kernelIsAtLeast(6, 6))(
    "a directory of the image that was removed can be made again, and is empty",
    async () => {
      const { result } = await sh("rm -r /var/old && mkdir /var/old && ls -A /var/old && echo made");
      expect(result.stdout).toBe("made\n");
    },
  );

  test(
    "neighbours with the same image see nothing of each other",
    async () => {
      const begun = start(
        ["sandbox", "--image", "base", "--pull", "never", "--", "sh", "-c", "echo mine > /var/mine; sleep 3; ls /var"],
        {
          env: { RAUHA_STORE: store.root },
        },
      );
      const { result } = await sh("sleep 1; ls /var; echo yours > /var/yours");
      expect(result.stdout).toBe("kept\nold\n");
      expect(parseResult(await begun.stdout.text()).stdout).toBe("kept\nmine\nold\n");
    },
    patient(30_000),
  );
});

describe("the image's configuration", () => {
  const config = {
    Env: ["PATH=/bin", "FROM=image", "TWICE=1", "TWICE=2"],
    Entrypoint: ["/bin/sh", "-c", 'echo "$FROM $TWICE $HOME $USER $0 $*"; pwd; id'],
    Cmd: ["zero", "one two"],
    WorkingDir: "/srv/made",
    User: "app",
  };

  test("entrypoint, command, variables, directory and user; what follows -- replaces the command alone", async () => {
    await store.add("configured", { layers, config });
    const plain = await store.run("configured", []);
    // Whoever logged in has their own group twice: as theirs, and in the list. Only root can give other groups.
    const once = (text: string | null) => (isRoot ? text : text?.replace(/gid=(\S+) groups=\1$/m, "gid=$1"));
    const groups = isRoot ? " groups=1002(extra)" : "";
    const identity = `uid=1000(app) gid=1001(app)${groups}`;
    expect(once(plain.result.stdout)).toBe(`image 2 /home/app app zero one two\n/srv/made\n${identity}\n`);
    expect(plain.result.command).toEqual([...config.Entrypoint, ...config.Cmd]);
    const flags = ["-e", "FROM=flag", "-w", "/var", "--user", "0:0"];
    const given = await store.run("configured", ["mine"], flags);
    expect(once(given.result.stdout)).toBe("flag 2 /root root mine \n/var\nuid=0(root) gid=0(root)\n");
  });

  test.each([
    ["1000", "uid=1000(app) gid=1001(app)"],
    ["1234", "uid=77(1234) gid=78"],
    ["4321", "uid=4321 gid=0(root)"],
    ["app:extra", "uid=1000(app) gid=1002(extra)"],
    ["4321:99", "uid=4321 gid=99"],
    ["root", "uid=0(root) gid=0(root)"],
    ["", "uid=0(root) gid=0(root)"],
  ])("user %p", async (user, expected) => {
    const name = `user-${user.replace(":", "-") || "none"}`;
    await store.add(name, { layers, config: { User: user } });
    expect((await sh("id", [], name)).result.stdout?.replace(/ groups=.*/, "").trim()).toBe(expected);
  });

  test("a user that the image does not have", async () => {
    await store.add("nobody-there", { layers, config: { User: "ghost" } });
    const { result, exitCode } = await sh("id", [], "nobody-there");
    expect([exitCode, result.error?.code]).toEqual([125, "invalid_image"]);
    expect(result.error?.message).toContain('the image\'s user "ghost" is not in its /etc/passwd');
  });

  test("accounts are read in the image alone, wherever its symlinks lead", async () => {
    const redirect = tarOf([dir("etc"), file("etc/.wh.passwd"), link("etc/passwd", "/../../../../../../etc/hostname")]);
    await store.add("redirected", { layers: [...layers, { archive: redirect }], config: { User: "app" } });
    expect((await sh("id", [], "redirected")).result.error?.message).toContain('"app" is not in its /etc/passwd');
    const within = tarOf([
      dir("etc"),
      link("etc/passwd", "../opt/accounts"),
      dir("opt"),
      file("opt/accounts", "app:x:5:6::/:/bin/sh\n"),
    ]);
    await store.add("within", { layers: [...layers, { archive: within }], config: { User: "app" } });
    expect((await sh("id -u", [], "within")).result.stdout).toBe("5\n");
  });

  test(
    "the stop signal is the first that a time-out sends",
    async () => {
      await store.add("stops", { layers, config: { StopSignal: "SIGUSR1" } });
      const script =
        "trap 'echo usr1; exit 7' USR1; trap 'echo term; exit 8' TERM; echo ready; while :; do sleep 0.1; done";
      const { result } = await sh(script, ["--timeout", "2s"], "stops");
      expect([result.status, result.stdout]).toEqual(["timed_out", "ready\nusr1\n"]);
    },
    patient(30_000),
  );

  test("no command anywhere is a usage error", async () => {
    const { result, exitCode } = await store.run("base", []);
    expect([exitCode, result.error?.code]).toEqual([2, "usage"]);
    expect(result.error?.message).toContain("brings no command");
  });
});

describe("the sandbox holds the same", () => {
  test("the workspace is at /workspace, copy-on-write, and the task starts there", async () => {
    const repo = writeFiles(makeFolder("repo"), { "a.txt": "one\n" });
    const { result } = await sh("pwd; cat a.txt; echo two > a.txt; echo new > b.txt", [
      "--repo-path",
      repo,
      "--on-success",
      "discard",
    ]);
    expect(result.stdout).toBe("/workspace\none\n");
    expect(result.changes.map(({ path, kind }) => [path, kind])).toEqual([
      ["a.txt", "modified"],
      ["b.txt", "added"],
    ]);
    expect(readFileSync(join(repo, "a.txt"), "utf8")).toBe("one\n");
    expect(existsSync(join(repo, "b.txt"))).toBe(false);
  });

  test("writable and read-only workspaces, binds and scratch", async () => {
    const repo = writeFiles(makeFolder("repo"), { "a.txt": "one\n", ".git/hooks/": "" });
    const rw = await sh("echo two > a.txt; echo x > .git/hooks/pre-commit", ["--repo-path", repo, "--repo-mode", "rw"]);
    expect(rw.result.stderr).toContain("Read-only file system");
    expect(readFileSync(join(repo, "a.txt"), "utf8")).toBe("two\n");
    expect(existsSync(join(repo, ".git/hooks/pre-commit"))).toBe(false);
    const ro = await sh(
      "echo x > a.txt; cat /bound/a.txt; echo y > /bound/a.txt; echo t > /scratch/t && cat /scratch/t",
      [...["--repo-path", repo, "--repo-mode", "ro", "-b", `${repo}:/bound`, "--tmpfs", "/scratch"]],
    );
    expect(ro.result.stdout).toBe("two\nt\n");
    expect(ro.result.stderr?.match(/Read-only file system|Permission denied/g)).toHaveLength(2);
  });

  test("every promise of a zone of the host's view is made, by the same means", async () => {
    const promises = (run: {
      result: { guarantees: readonly { name: string; state: string; mechanism: string | null }[] };
    }) => run.result.guarantees.map(({ name, state, mechanism }) => `${name} ${state} ${mechanism}`);
    const image = await sh("true");
    const host = await store.rauha(["sandbox", "--", "true"]);
    expect(promises(image)).toEqual(promises({ result: parseResult(host.stdout) }));
  });

  test("what no zone may do is denied with the same words as without an image", async () => {
    const attempts = [
      "mount none /tmp tmpfs",
      "mknod /tmp/dev c 1 3",
      "mknod /tmp/whiteout c 0 0",
      "read /.rauha",
      "write /proc/sys/kernel/hostname x",
      "unshare user",
      "open-tree /",
      "setns /proc/self/ns/mnt",
      "pivot / /tmp",
    ];
    const answers = await tried([...attempts, "create /var/neighbour allowed", "mknod /var/pipe p"]);
    const { result } = await sandbox(probeBind, [PROBE, ...attemptWords(attempts)]);
    const without = Object.fromEntries(
      parseAnswers(result.stdout ?? "").map(({ attempt, outcome }) => [attempt, outcome]),
    );
    for (const attempt of attempts) expect([attempt, answers[attempt]]).toEqual([attempt, without[attempt]]);
    expect(Object.values(without)).not.toContain("OK");
    expect([answers["create /var/neighbour allowed"], answers["mknod /var/pipe p"]]).toEqual(["OK", "OK"]);
  });

  test("new names beside the image's are denied by Landlock, below them not", async () => {
    const answers = await tried([
      "mkdir /new",
      "create /new-file x",
      "rename /opt /var/opt",
      "unlink /.rauha",
      "mkdir /opt/new",
      "create /var/new x",
    ]);
    expect(Object.values(answers)).toEqual(["EACCES", "EACCES", "EACCES", "EACCES", "OK", "OK"]);
  });

  test("the layers can't be reached from inside, by path, by handle or by what is mounted", async () => {
    const mine = join(store.root, "layers");
    const answers = await tried([
      `list ${mine}`,
      "list /l",
      "list /upper",
      "list /proc/1/root",
      `open-by-handle / ${mine}`,
    ]);
    expect(Object.values(answers)).not.toContain("OK");
    const { result } = await sh("cat /proc/self/mountinfo");
    expect(result.stdout).not.toContain(store.root);
  });

  test("set-user-id programs of the image give nothing", async () => {
    const { result } = await sh("cat /proc/self/status", ["--user", isRoot ? "1000:1000" : `${uid}:${gid}`]);
    expect(result.stdout).toMatch(/NoNewPrivs:\s1/);
    const mounts = await sh("cat /proc/mounts");
    const root = mounts.result.stdout
      ?.split("\n")
      .filter((line) => line.split(" ")[1] === "/")
      .at(-1);
    expect(root).toMatch(/^overlay \/ overlay rw,nosuid,nodev/);
  });

  test("an image whose /tmp is a symlink: the scratch is where it leads, in the zone", async () => {
    const trap = tarOf([link("tmp", "/var/kept-tmp"), dir("var"), dir("var/kept-tmp")]);
    await store.add("trapped", { layers: [...layers, { archive: trap }] });
    const { result } = await sh("echo x > /tmp/x && cat /var/kept-tmp/x", [], "trapped");
    expect(result.stdout).toBe("x\n");
  });

  test("policy root image wants one, and --explain names the layers and runs nothing", async () => {
    const policy = join(
      writeFiles(makeFolder("policy"), { "p.toml": 'extends = "task"\n[filesystem]\nroot = "image"\n' }),
      "p.toml",
    );
    const without = await store.rauha(["sandbox", "--policy", policy, "--", "true"]);
    expect(parseResult(without.stdout).error?.message).toContain("the policy wants an image as the root");
    expect((await sh("echo ran", ["--policy", policy])).result.stdout).toBe("ran\n");
    const explained = await store.rauha(["sandbox", "--image", "base", "--explain", "--no-json", "--", "true"]);
    expect(explained.exitCode).toBe(0);
    expect(explained.stdout).toMatch(/layer 1 of 2: sha256:[0-9a-f]{64}/);
    expect(explained.stdout).toMatch(/base as the root/);
  });

  test("an image that is not here, with --pull never; flags without an image", async () => {
    const gone = await store.run("not-here", ["true"]);
    expect([gone.exitCode, gone.result.error?.code]).toEqual([125, "not_found"]);
    const alone = await store.rauha(["sandbox", "--pull", "never", "--", "true"]);
    expect(alone.exitCode).toBe(2);
  });
});

describe("many layers", () => {
  const stacked = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ archive: tarOf([dir("n"), file(`n/${index}`, String(index))]) }));

  test(
    "128 can be stacked, 129 are refused",
    async () => {
      await store.add("tall", { layers: [...layers, ...stacked(126)] });
      const { result } = await sh(
        "ls /n | sort -n | tail -1 2>/dev/null; cat /n/125 /n/0",
        ["-e", "PATH=/bin"],
        "tall",
      );
      expect(result.stdout?.endsWith("1250")).toBe(true);
      await store.add("taller", { layers: [...layers, ...stacked(127)] });
      expect((await sh("true", [], "taller")).result.error?.message).toContain("129 layers: 1 to 128 can be stacked");
    },
    patient(120_000),
  );
});
