/** CAP_SYS_ADMIN in a zone's own user namespace: the view stays what the policy and the flags say. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { expectDenied } from "../support/layers.ts";
import { guarantee, tryInZone } from "../support/rauha.ts";

const policyFile = (text: string) => join(writeFiles(makeFolder("policy"), { "admin.toml": text }), "admin.toml");
const admin = `extends = "task"\n[capabilities]\nallowed = ["CAP_SYS_ADMIN"]\n`;

describe("a task with CAP_SYS_ADMIN", () => {
  // The tests' folders lie in /tmp, where Landlock lets a task write: there the mount alone keeps a bind read-only.
  const folder = writeFiles(makeFolder("kept"), { "file.txt": "as it was\n" });
  const file = join(folder, "file.txt");
  const attempts = [
    ["mount-setattr", folder],
    ["open-tree", folder],
    ["mount", "none", folder, "none", "remount,bind"],
    ["umount", "/proc/keys"],
    ["write", file, "changed"],
  ];

  test("can't lift a read-only bind, nor a mask, nor take a tree without either", async () => {
    const tried = await tryInZone(attempts, ["--policy", policyFile(admin), "--ro-bind", folder]);
    for (const words of attempts.slice(0, 2)) expectDenied(tried, words.join(" "), "syscalls", "EPERM");
    expect(tried.answers.slice(2).map(({ outcome }) => outcome)).toEqual(["EPERM", "EPERM", "EROFS"]);
    expect(readFileSync(file, "utf8")).toBe("as it was\n");
    expect(guarantee(tried.result, "self_test").mechanism).toContain("change of a mount");
  });

  test("can where the policy names the call, and the result promises no view then", async () => {
    const named = policyFile(`${admin}[syscalls]\nallow = ["mount_setattr"]\n`);
    const tried = await tryInZone(attempts.slice(0, 2), ["--policy", named, "--ro-bind", folder]);
    expect(tried.answers.map(({ outcome }) => outcome)).toEqual(["OK", "EPERM"]);
    for (const name of ["filesystem_view", "proc_masked"]) {
      expect(guarantee(tried.result, name)).toMatchObject({ state: "unavailable" });
      expect(guarantee(tried.result, name).mechanism).toContain("mount_setattr");
    }
  });
});
