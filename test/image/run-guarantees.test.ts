/** Zones from images: what the sandbox promises holds as it does without one. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { gid, isRoot, needs, uid } from "../support/identity.ts";
import { type Attempt, attemptWords, PROBE, parseAnswers, probeBind } from "../support/probe.ts";
import { parseResult, sandbox } from "../support/rauha.ts";
import { dir, file, layers, link, smallImageStore } from "./small-image.ts";
import { tarOf } from "./tar-builder.ts";

const store = await smallImageStore();
const sh = (script: string, flags: readonly string[] = [], image = "base") =>
  store.run(image, ["sh", "-c", script], flags);

async function tried(attempts: readonly Attempt[], flags: readonly string[] = []) {
  const { result } = await store.run("base", [PROBE, ...attemptWords(attempts)], [...probeBind, ...flags]);
  if (result.error !== null) throw new Error(result.error.message);
  return Object.fromEntries(parseAnswers(result.stdout ?? "").map(({ attempt, outcome }) => [attempt, outcome]));
}

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
    const beside = "; new names in / are denied, --dir makes them";
    expect(promises(image).filter((promise) => promise.endsWith(beside))).toHaveLength(1);
    expect(promises(image).map((promise) => promise.replace(beside, ""))).toEqual(
      promises({ result: parseResult(host.stdout) }),
    );
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

  needs("root", isRoot)(
    "root has the policy's capabilities: none, or those that the page about images lists",
    async () => {
      const page = readFileSync(join(import.meta.dir, "../../docs/images.md"), "utf8");
      const example = /^ {4}extends = "build"\n( {4}.*\n)+/m.exec(page)?.[0].replace("build", "task") ?? "";
      const policy = join(writeFiles(makeFolder("policy"), { "root.toml": example }), "root.toml");
      const attempts = ["chown 1000 1001 /opt/top", "setuid 1000"];
      expect(Object.values(await tried(attempts))).toEqual(["EPERM", "EPERM"]);
      expect(Object.values(await tried(attempts, ["--policy", policy]))).toEqual(["OK", "OK"]);
      const neighbours = ["mount none /mnt tmpfs", "mknod /opt/dev c 1 3"];
      expect(Object.values(await tried(neighbours, ["--policy", policy]))).not.toContain("OK");
    },
  );

  test("an image that is not here, with --pull never; flags without an image", async () => {
    const gone = await store.run("not-here", ["true"]);
    expect([gone.exitCode, gone.result.error?.code]).toEqual([125, "not_found"]);
    const alone = await store.rauha(["sandbox", "--pull", "never", "--", "true"]);
    expect(alone.exitCode).toBe(2);
  });

  test("an image for another platform: what is here is said, and that it may not run", async () => {
    const archive = join(makeFolder("archive"), "rootfs.tar");
    await Bun.write(archive, tarOf([file("prog", "\x7fELF not for this machine", { mode: 0o755 })]));
    await store.rauha(["image", "import", "--platform", "linux/riscv64", archive, "foreign:1"]);
    const { error } = (await store.run("foreign:1", ["/prog"])).result;
    expect(error?.message).toContain("the image foreign:1 is stored here for linux/riscv64 only");
    expect(error?.hint).toContain("--platform linux/riscv64");
    const { result, stderr } = await store.run("foreign:1", ["/prog"], ["--platform", "linux/riscv64"]);
    expect(result.error?.code).toBe("not_executable");
    expect(stderr).toMatch(/foreign:1 is for linux\/riscv64, and this machine is linux\/\w+\n/);
    const own = await store.run("base", ["true"], ["--platform", `linux/${process.arch}`]);
    expect([own.result.status, own.stderr]).toEqual(["succeeded", ""]);
  });
});
