/** The filesystem view piece by piece: --ro-bind, --rw-bind, --tmpfs, --dir, --symlink, in the order of the command line. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { outcomes, sandbox, tryInZone } from "../support/rauha.ts";
import { mkfifoSync } from "../support/special-files.ts";
import { fingerprint } from "../support/tree.ts";

describe("--ro-bind and --rw-bind", () => {
  test("show a folder and a file, at their own place or another", async () => {
    const folder = writeFiles(makeFolder("bind"), { "file.txt": "content\n", "sub/deep.txt": "deep\n" });
    const flags = [
      "-b",
      folder,
      "-b",
      `${folder}/sub:/somewhere/else`,
      "--ro-bind",
      `${folder}/file.txt:/etc/added.conf`,
    ];
    const tried = await tryInZone(
      [
        ["read", `${folder}/file.txt`],
        ["read", "/somewhere/else/deep.txt"],
        ["read", "/etc/added.conf"],
        ["stat", "/somewhere/else/.."],
      ],
      flags,
    );
    expect(tried.answers.map(({ outcome }) => outcome)).toEqual(["OK", "OK", "OK", "OK"]);
    expect(tried.answers.slice(0, 3).map(({ items }) => items[0])).toEqual(["content\n", "deep\n", "content\n"]);
  });

  test("read-only means read-only, writable means the host's own file changes", async () => {
    const folder = writeFiles(makeFolder("bind"), { "a/x": "1", "b/x": "1", "c.txt": "1" });
    const tried = await tryInZone(
      [
        ["write", `${folder}/a/x`, "2"],
        ["write", `${folder}/b/x`, "2"],
        ["create", `${folder}/b/new`],
        ["write", `${folder}/c.txt`, "2"],
      ],
      ["--ro-bind", `${folder}/a`, "--rw-bind", `${folder}/b`, "-B", `${folder}/c.txt`],
    );
    expect(tried.answers.map(({ outcome }) => outcome)).toEqual([
      expect.stringMatching(/EROFS|EACCES/),
      "OK",
      "OK",
      "OK",
    ]);
    expect(["a/x", "b/x", "c.txt"].map((name) => readFileSync(join(folder, name), "utf8"))).toEqual(["1", "2", "2"]);
  });

  test("nested: the later one covers a part of the earlier one, and no more", async () => {
    const folder = writeFiles(makeFolder("nested"), { "repo/keep.txt": "1", "repo/vendor/lib.txt": "1" });
    const repo = `${folder}/repo`;
    const tried = await tryInZone(
      [
        ["write", `${repo}/keep.txt`, "2"],
        ["write", `${repo}/vendor/lib.txt`, "2"],
      ],
      ["--rw-bind", repo, "--ro-bind", `${repo}/vendor`],
    );
    expect(tried.answers.map(({ outcome }) => outcome)).toEqual(["OK", expect.stringMatching(/EROFS|EACCES/)]);
    const other = await tryInZone(
      [
        ["write", `${repo}/keep.txt`, "3"],
        ["write", `${repo}/vendor/lib.txt`, "3"],
      ],
      ["--ro-bind", repo, "--rw-bind", `${repo}/vendor`],
    );
    expect(other.answers.map(({ outcome }) => outcome)).toEqual([expect.stringMatching(/EROFS|EACCES/), "OK"]);
  });

  test("below a read-only bind of the view: into /usr, where the target is there", async () => {
    const folder = writeFiles(makeFolder("into"), { tool: "#!/bin/sh\necho replaced\n" });
    const { result } = await sandbox(["-b", `${folder}/tool:/usr/bin/env`], ["/usr/bin/env"]);
    expect(result.stdout).toBe("replaced\n");
  });

  test("a target that would have to be made in a folder of the host's is refused: nothing is littered", async () => {
    const folder = writeFiles(makeFolder("target"), { "repo/file": "x", thing: "y" });
    const before = fingerprint(folder);
    const { exitCode, result } = await sandbox(
      ["--repo-path", `${folder}/repo`, "--repo-mode", "rw", "-b", `${folder}/thing:${folder}/repo/mounted`],
      ["true"],
    );
    if (exitCode !== 0)
      expect({ exitCode, origin: result.error?.origin }).toEqual({ exitCode: 125, origin: "--ro-bind #1" });
    expect(fingerprint(folder)).toEqual(before);
  });

  test("a source that is missing is refused with its name, a dangling link too", async () => {
    const folder = makeFolder("missing");
    symlinkSync("nowhere", join(folder, "dangling"));
    for (const source of [`${folder}/missing`, `${folder}/dangling`]) {
      const { exitCode, result } = await sandbox(["-b", source], ["true"]);
      expect(exitCode).toBe(125);
      expect(result.error?.message).toContain(source);
    }
  });

  test("a source may be a link: what it points to is shown", async () => {
    const folder = writeFiles(makeFolder("links"), { "real/file": "x" });
    symlinkSync("real", join(folder, "link"));
    expect(outcomes(await tryInZone([["read", "/shown/file"]], ["-b", `${folder}/link:/shown`]))).toEqual({
      "read /shown/file": "OK",
    });
  });

  test("a FIFO of the host's does not hang the zone", async () => {
    const folder = makeFolder("fifo");
    mkfifoSync(join(folder, "pipe"));
    const { exitCode } = await sandbox(["-b", `${folder}/pipe:/pipe`], ["test", "-p", "/pipe"]);
    expect(exitCode).toBe(0);
  });

  test("a device node in a bound folder does not work", async () => {
    const tried = await tryInZone(
      [
        ["open", "r", "/devices/zero"],
        ["open", "r", "/dev/zero"],
      ],
      ["-b", "/dev:/devices"],
    );
    expect(tried.answers.map(({ outcome }) => outcome)).toEqual(["EACCES", "OK"]);
  });

  test("what is mounted below a source comes with it, as read-only as the rest", async () => {
    const tried = await tryInZone(
      [
        ["stat", "/host-dev/shm"],
        ["create", "/host-dev/shm/trace"],
        ["create", "/host-dev/trace"],
      ],
      ["-b", "/dev:/host-dev"],
    );
    const [stat, ...creates] = tried.answers.map(({ outcome }) => outcome);
    expect(stat).toBe("OK");
    for (const outcome of creates) expect(outcome).toMatch(/EROFS|EACCES/);
  });

  test("the root of the host can be bound somewhere else, but shadows nothing", async () => {
    const tried = await tryInZone(
      [
        ["list", "/host"],
        ["create", "/host/trace"],
        ["list", "/"],
      ],
      ["-b", "/:/host"],
    );
    expect(tried.answers[0]?.items).toEqual(
      expect.arrayContaining(readdirSync("/").filter((name) => !name.startsWith("."))),
    );
    expect(tried.answers[1]?.outcome).toMatch(/EROFS|EACCES/);
    expect(tried.answers[2]?.items).not.toContain("root");
  });
});

describe("--tmpfs, --dir and --symlink", () => {
  test("make what they say", async () => {
    const tried = await tryInZone(
      [
        ["create", "/scratch/x"],
        ["list", "/empty"],
        ["create", "/empty/x"],
        ["readlink", "/link"],
        ["list", "/link"],
      ],
      ["--tmpfs", "/scratch", "--dir", "/empty", "--symlink", "/scratch:/link"],
    );
    expect(tried.answers.map(({ outcome }) => outcome)).toEqual([
      "OK",
      "OK",
      expect.stringMatching(/EROFS|EACCES/),
      "OK",
      "OK",
    ]);
    expect(tried.answers[3]?.items).toEqual(["/scratch"]);
    expect(tried.answers[4]?.items).toEqual(["x"]);
  });

  test("a tmpfs over a part of a bind hides it", async () => {
    const folder = writeFiles(makeFolder("cover"), { "secrets/key": "k", "open.txt": "o" });
    const tried = await tryInZone(
      [
        ["list", `${folder}/secrets`],
        ["create", `${folder}/secrets/own`],
        ["read", `${folder}/open.txt`],
      ],
      ["--ro-bind", folder, "--tmpfs", `${folder}/secrets`],
    );
    expect(tried.answers.map(({ outcome }) => outcome)).toEqual(["OK", "OK", "OK"]);
    expect(tried.answers[0]?.items).toEqual([]);
    expect(readdirSync(`${folder}/secrets`)).toEqual(["key"]);
  });

  test("scratch folders are on memory, nosuid and nodev", async () => {
    const { answers } = await tryInZone(["mounts"], ["--tmpfs", "/scratch"]);
    for (const point of ["/scratch", "/tmp", "/dev/shm"]) {
      const line = answers[0]?.items.find((entry) => entry.split(" ")[4] === point) ?? "";
      expect(line).toContain(" - tmpfs ");
      expect(line).toMatch(/nosuid,nodev/);
    }
  });

  test("a symlink that leads out of the zone leads nowhere", async () => {
    const tried = await tryInZone(
      [
        ["open", "r", "/link/shadow"],
        ["list", "/up"],
      ],
      ["--symlink", "/proc/1/root/etc:/link", "--symlink", "../../../..:/up"],
    );
    expect(tried.answers[0]?.outcome).toMatch(/EACCES|ENOENT|EPERM/);
    expect(tried.answers[1]?.items).toContain("proc");
    expect(tried.answers[1]?.items).not.toContain("root");
  });
});

test("every mount of the view is nosuid, and nodev but for the nodes of /dev", async () => {
  const folder = makeFolder("flags");
  const { answers } = await tryInZone(["mounts"], ["--rw-bind", folder, "--ro-bind", "/usr:/usr2"]);
  for (const line of answers[0]?.items ?? []) {
    const [, , , , point = "", options = ""] = line.split(" ");
    expect(`${point} ${options}`).toContain("nosuid");
    if (!point.startsWith("/dev/")) expect(`${point} ${options}`).toContain("nodev");
  }
});
