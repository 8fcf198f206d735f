/** `rauha policy learn --image`: what a task of an image lacked, told apart from what the image itself lacks. */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { probeBind } from "../support/probe.ts";
import { fingerprint } from "../support/tree.ts";
import { type TarPart, tarOf } from "./tar-builder.ts";
import { testStore } from "./zone-store.ts";

const dir = (name: string): TarPart => ({ name, type: "5", mode: 0o755 });
const applets = ["sh", "cat", "mkdir", "touch", "rm", "unshare", "ls", "grep"];
const archive = tarOf([
  dir("bin"),
  { name: "bin/busybox", content: readFileSync("/bin/busybox").toString("latin1"), mode: 0o755 },
  ...applets.map((name) => ({ name: `bin/${name}`, type: "2", link: "busybox" })),
  dir("etc"),
  dir("opt"),
  { name: "opt/here", content: "here" },
  { name: "link", type: "2", link: "opt" },
  dir("var"),
]);
const store = testStore();
await store.add("tool", { layers: [{ archive }], config: { Cmd: ["sh", "-c", "exit 9"] } });

const learn = (script: string, flags: readonly string[] = []) =>
  store.rauha(["policy", "learn", "--image", "tool", "--pull", "never", ...flags, "--", "sh", "-c", script]);

interface Learned {
  readonly [section: string]: Readonly<Record<string, readonly string[]>> | string;
}
const policyOf = (text: string) => Bun.TOML.parse(text) as Learned;
const nothing = { extends: "task" };

/** A file of the host's outside of what every system has. */
const folder = writeFiles(makeFolder("mine"), { data: "of the host" });
chmodSync(folder, 0o755);

describe("a task in a zone of an image", () => {
  test("that passes with what the image has teaches nothing, wherever it writes in it", async () => {
    const script = `set -e; cat /opt/here /link/here >/dev/null; mkdir -p /var/new/deep; echo x >/var/new/deep/x
      cat /var/new/deep/x; echo y >/etc/passwd; touch /tmp/t; rm /opt/here; echo said`;
    const { exitCode, stdout, stderr } = await learn(script);
    expect([exitCode, policyOf(stdout)]).toEqual([0, nothing]);
    expect(stdout).not.toContain("No key");
    expect(stderr).toContain("said\n");
  });

  test("needs nothing of the host's system where the image lacks a file: that is the image's matter", async () => {
    const system = ["/etc/hostname-not", "/etc/os-release", "/usr/bin/env", "/var/lib/dpkg/status"];
    expect(system.some((path) => existsSync(path))).toBe(true);
    const { exitCode, stdout } = await learn(`cat ${system.join(" ")} /opt/none || exit 3`);
    expect([exitCode, policyOf(stdout)]).toEqual([3, nothing]);
  });

  test("learns a file of the host's that lies outside of a system, and finds it with what was learned", async () => {
    const script = `cat ${folder}/data || exit 3`;
    const once = await learn(script);
    expect([once.exitCode, policyOf(once.stdout)]).toEqual([
      3,
      { ...nothing, filesystem: { readable_paths: [`${folder}/data`] } },
    ]);
    const twice = await learn(script, ["--rounds", "2"]);
    expect([twice.exitCode, twice.stderr]).toEqual([0, expect.stringContaining("of the host")]);
  });

  test("learns a directory in /, whose names Landlock denies, and the policy lets it pass", async () => {
    const script = "mkdir -p /app/src && echo x >/app/src/x && echo y >/app/y && cat /app/src/x";
    const once = await learn(script);
    expect(policyOf(once.stdout)).toEqual({ ...nothing, filesystem: { writable_paths: ["/tmp", "/app"] } });
    const { exitCode, stdout } = await learn(script, ["--rounds", "3"]);
    expect(exitCode).toBe(0);
    const file = join(writeFiles(makeFolder("learned"), { "learned.toml": stdout }), "learned.toml");
    const { result } = await store.run("tool", ["sh", "-c", script], ["--policy", file]);
    expect([result.status, result.stdout]).toEqual(["succeeded", "x\n"]);
    expect((await store.run("tool", ["sh", "-c", script])).result.status).toBe("failed");
  });

  test("is told of a file in /, which no key gives", async () => {
    const { stdout } = await learn("touch /file");
    expect(policyOf(stdout)).toEqual(nothing);
    expect(stdout).toContain("# /file was to be made in /");
    const dirs = await learn("echo x >/made/x && cat /made/x", ["--dir", "/made"]);
    expect([dirs.exitCode, policyOf(dirs.stdout)]).toEqual([0, nothing]);
  });

  test("learns denied calls, as without an image", async () => {
    const { stdout } = await learn("unshare -U true");
    expect(policyOf(stdout)).toEqual({ ...nothing, syscalls: { allow: ["unshare"] } });
  });

  test("has the image's own command, and works on a workspace that stays as it is", async () => {
    const plain = await store.rauha(["policy", "learn", "--image", "tool", "--pull", "never"]);
    expect([plain.exitCode, policyOf(plain.stdout)]).toEqual([9, nothing]);
    const repo = writeFiles(makeFolder("repo"), { a: "before" });
    const { exitCode } = await learn("echo after >/workspace/a && cat a", ["--repo-path", repo]);
    expect([exitCode, readFileSync(join(repo, "a"), "utf8")]).toEqual([0, "before"]);
  });

  test("loosens nothing: the image stays as it is, what is denied stays denied", async () => {
    const before = fingerprint(join(store.root, "layers"));
    const { exitCode } = await learn(`echo x >/opt/here; ! mkdir /new && ! cat ${folder}/data && ! unshare -U true`);
    expect(exitCode).toBe(0);
    expect(fingerprint(join(store.root, "layers"))).toEqual(before);
  });

  test("an image that is not here is refused as by a run", async () => {
    const gone = await store.rauha(["policy", "learn", "--image", "gone", "--pull", "never", "--", "true"]);
    expect([gone.exitCode, gone.stderr]).toEqual([125, expect.stringContaining("is not stored here")]);
  });
});

describe("a socket of the host's", () => {
  const path = join(folder, "s");
  const server = Bun.listen({ unix: path, socket: { data() {} } });
  chmodSync(path, 0o777);
  afterAll(() => server.stop(true));

  test("that the task connects to is learned, and reached in the image with what was learned", async () => {
    const connect = `/probe connect unix ${path} | cat >/var/said; cat /var/said; ! cat /var/said | grep -q ENOENT`;
    const once = await learn(connect, probeBind);
    expect([once.exitCode, policyOf(once.stdout)]).toEqual([
      1,
      { ...nothing, filesystem: { allowed_sockets: [path] } },
    ]);
    const twice = await learn(connect, [...probeBind, "--rounds", "2"]);
    expect([twice.exitCode, twice.stderr]).toEqual([0, expect.stringContaining(`connect unix ${path}: OK`)]);
  });
});
