/** `rauha policy learn`: what a task lacked, as a policy that lets it pass; and nothing is loosened by learning. */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { rauha, sandbox } from "../support/rauha.ts";

const learn = (args: readonly string[], script: string) =>
  rauha(["policy", "learn", ...args, "--", "sh", "-c", script]);

/** A file of the host that no zone shows, readable for all. */
const hidden = ["/etc/shells", "/etc/fstab", "/etc/issue"].find((path) => existsSync(path)) ?? "";

interface Learned {
  readonly [section: string]: Readonly<Record<string, readonly string[]>>;
}

function policyOf(text: string): Learned {
  return Bun.TOML.parse(text) as Learned;
}

describe("one run", () => {
  test("of a task that passes teaches nothing", async () => {
    const { exitCode, stdout, stderr } = await learn([], "echo said");
    expect(exitCode).toBe(0);
    expect(policyOf(stdout)).toEqual({ extends: "task" } as never);
    expect(stderr).toContain("said\n");
    expect(stderr).toContain("passed with the policy as it is");
  });

  test("names the file of the host that was not there, and no more; exit code and refusal are the task's own", async () => {
    const { exitCode, stdout } = await learn([], `cat ${hidden} || exit 7`);
    expect(exitCode).toBe(7);
    expect(policyOf(stdout)).toEqual({ extends: "task", filesystem: { readable_paths: [hidden] } } as never);
  });

  test("names the denied call, with the base's own list beside it", async () => {
    const folder = writeFiles(makeFolder("base"), {
      "base.toml": 'extends = "task"\n[syscalls]\nallow = ["kcmp"]\n',
    });
    const { stdout } = await learn(["--policy", `${folder}/base.toml`], "unshare -U true");
    expect(policyOf(stdout)).toEqual({
      extends: `${folder}/base.toml`,
      syscalls: { allow: ["kcmp", "unshare"] },
    } as never);
  });

  test("names the directory that was to be made or written to", async () => {
    const written = async (script: string) =>
      policyOf((await learn([], script)).stdout)["filesystem"]?.["writable_paths"];
    expect(await written("mkdir /data/deep/er || exit 1")).toEqual(["/tmp", "/data/deep/er"]);
    expect(await written("mkdir -p /data/deep/er")).toEqual(["/tmp", "/data"]);
    expect(await written("echo x >/srv/folder/file")).toEqual(["/tmp", "/srv/folder"]);
  });

  test("says in a comment what no key gives: a place that a scratch directory would hide", async () => {
    const { stdout } = await learn([], "touch /usr/bin/new");
    expect(policyOf(stdout)).toEqual({ extends: "task" } as never);
    expect(stdout).toContain("# /usr/bin/new was to be written");
  });

  test("names a connection in a comment, since it takes another network mode, too", async () => {
    const perl =
      "use Socket; socket(S, PF_INET, SOCK_STREAM, 0); connect(S, sockaddr_in(443, inet_aton('192.0.2.1'))) or exit 3";
    const { stdout, exitCode } = await rauha(["policy", "learn", "--", "perl", "-e", perl]);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('# network.allowed_egress: "192.0.2.1/32:443"');
    expect(stdout).toContain("# Connections, which take network mode filtered or bridged");
  });

  test("of what was refused and not needed makes comments", async () => {
    const { exitCode, stdout, stderr } = await learn([], `cat ${hidden}; unshare -U true; true`);
    expect(exitCode).toBe(0);
    expect(policyOf(stdout)).toEqual({ extends: "task" } as never);
    expect(stdout).toContain(`# filesystem.readable_paths: "${hidden}"`);
    expect(stdout).toContain('# syscalls.allow: "unshare"');
    expect(stderr).toContain("2 refused and not needed");
  });
});

describe("unix sockets", () => {
  const folder = makeFolder("socket");
  const server = Bun.listen({ unix: join(folder, "s"), socket: { data() {} } });
  chmodSync(join(folder, "s"), 0o777);
  afterAll(() => server.stop(true));

  test("of the host that were connected to are named, and reached with what was learned", async () => {
    const perl = `use Socket; socket(S, PF_UNIX, SOCK_STREAM, 0); connect(S, sockaddr_un("${folder}/s")) or exit 3`;
    const once = await rauha(["policy", "learn", "--", "perl", "-e", perl]);
    expect({ exitCode: once.exitCode, policy: policyOf(once.stdout) }).toEqual({
      exitCode: 3,
      policy: { extends: "task", filesystem: { allowed_sockets: [`${folder}/s`] } } as never,
    });
    expect((await rauha(["policy", "learn", "--rounds", "2", "--", "perl", "-e", perl])).exitCode).toBe(0);
  });
});

describe("rounds", () => {
  const script = `set -e; cat ${hidden}; unshare -U true; mkdir -p /data/deep; echo x >/data/deep/file; cat /data/deep/file`;

  test("go on until the task passes, and the policy that they print lets it pass", async () => {
    const { exitCode, stdout, stderr } = await learn(["--rounds", "6"], script);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining("passed with 3 grants more"),
    });
    const folder = writeFiles(makeFolder("learned"), { "learned.toml": stdout });
    expect((await sandbox(["--policy", `${folder}/learned.toml`], ["sh", "-c", script])).exitCode).toBe(0);
    expect((await rauha(["policy", "check", `${folder}/learned.toml`])).exitCode).toBe(0);
    expect((await sandbox([], ["sh", "-c", script])).exitCode).not.toBe(0);
  });

  test("end when nothing new comes up", async () => {
    const { exitCode, stderr } = await learn(["--rounds", "9"], "exit 4");
    expect(exitCode).toBe(4);
    expect(stderr).toContain("rauha: 1 run: exit code 4; 0 refused");
  });
});

describe("learning", () => {
  test("loosens nothing: what is denied stays denied, what the host has stays as it is", async () => {
    const folder = writeFiles(makeFolder("repo"), { file: "before" });
    const { exitCode } = await learn(
      ["--repo-path", folder],
      `echo after >${folder}/file; test ! -e ${dirname(folder)}/x`,
    );
    expect(exitCode).toBe(0);
    expect(await Bun.file(`${folder}/file`).text()).toBe("before");
  });

  test("prints JSON when asked, and refuses what is wrong", async () => {
    const { stdout } = await learn(["--json"], `cat ${hidden}`);
    expect(JSON.parse(stdout)).toMatchObject({
      passed: false,
      runs: 1,
      exit_code: 1,
      policy: expect.stringContaining(hidden),
    });
    expect((await rauha(["policy", "learn"])).exitCode).toBe(2);
    expect((await rauha(["policy", "learn", "--rounds", "0", "--", "true"])).exitCode).toBe(2);
    expect((await rauha(["policy", "learn", "--policy", "none.toml", "--", "true"])).exitCode).toBe(125);
  });
});
