import { describe, expect, test } from "bun:test";
import { isBelow, normalPath } from "../../../src/run/absolute-path.ts";
import { deviceForm, pathForm, placeForm, profileForm, resolveProfile } from "../../../src/run/policy/paths.ts";
import { Random } from "./random.ts";
import { mistakesIn } from "./reading.ts";

describe("paths", () => {
  test.each([
    ["/", "/"],
    ["//", "/"],
    ["/a", "/a"],
    ["/a/", "/a"],
    ["/a b/é/😀", "/a b/é/😀"],
    ["/...", "/..."],
    ["/.hidden/..x/y..", "/.hidden/..x/y.."],
    ["/a\\b", "/a\\b"],
    ["/*", "/*"],
    ["/~", "/~"],
    [`/${"x".repeat(4094)}`, `/${"x".repeat(4094)}`],
  ])("%s is %s", (path, value) => {
    expect(pathForm(path)).toEqual({ ok: true, value });
  });

  test.each([
    "",
    "a",
    "./a",
    "../a",
    "~",
    "~root/x",
    "C:/x",
    "/..",
    "/../etc/shadow",
    "/a/..",
    "/a/../b",
    "/a/./b",
    "/.",
    "/a//b",
    "//a",
    "/a//",
    "/a\0b",
    `/${"x".repeat(4095)}`,
    `/${"é".repeat(2048)}`,
  ])("%p is none", (path) => {
    expect(pathForm(path).ok).toBe(false);
  });

  test("a normal path is normal, and stays within the root", () => {
    const random = new Random(5);
    const parts = ["a", "b", "..", ".", "", "..."];
    for (let i = 0; i < 2000; i++) {
      const path = `/${random.list(8, () => random.pick(parts)).join("/")}`;
      const normal = normalPath(path);
      expect(normalPath(normal)).toBe(normal);
      expect(normal.split("/").slice(1)).not.toContain("..");
      expect(pathForm(normal)).toEqual({ ok: true, value: normal });
      const outcome = pathForm(path);
      if (outcome.ok) expect(outcome.value).toBe(normal);
      else expect(outcome.hint).toContain(JSON.stringify(normal));
    }
  });

  test.each([
    ["/a", "/a", true],
    ["/a/b", "/a", true],
    ["/a/b", "/", true],
    ["/", "/", true],
    ["/ab", "/a", false],
    ["/a", "/a/b", false],
    ["/", "/a", false],
    ["/b", "/a", false],
  ])("%s within %s: %p", (path, above, within) => {
    expect(isBelow(path, above)).toBe(within);
  });
});

describe("devices", () => {
  test.each(["/dev/null", "/dev/dri/renderD128", "/dev/fuse/"])("%s", (path) => {
    expect(deviceForm(path).ok).toBe(true);
  });

  test.each(["/dev", "/dev/", "/devices/x", "/dev/../etc/shadow", "/tmp/null", "null", ""])("%p is none", (path) => {
    expect(deviceForm(path).ok).toBe(false);
  });
});

describe("seccomp profiles", () => {
  test.each([
    ["default", "/p", "default"],
    ["/x/p.json", "/p", "/x/p.json"],
    ["p.json", "/p", "/p/p.json"],
    ["./p", "/p", "/p/p"],
    ["../q/p.json", "/p/r", "/p/q/p.json"],
    ["../../../p.json", "/p", "/p.json"],
    ["strict", "/p", "strict"],
  ])("%s of a policy in %s is %s", (profile, directory, path) => {
    expect(resolveProfile(profile, directory)).toBe(path);
  });

  test("a relative one of a policy without a directory is refused, not guessed", () => {
    expect(resolveProfile("./p.json", undefined)).toBe("./p.json");
    for (const profile of ["./p", "p.json"])
      expect(profileForm(profile)).toMatchObject({ hint: "write an absolute path" });
    expect(profileForm("./p.json")).toEqual({
      ok: false,
      message: 'the profile "./p.json" is relative to a policy without a directory',
      hint: "write an absolute path",
    });
  });

  test("an unknown word is refused with both ways out", () => {
    expect(profileForm("unconfined")).toMatchObject({ ok: false, hint: 'for a file write "./unconfined"' });
    expect(profileForm("")).toMatchObject({ ok: false });
  });
});

describe("a place in the view", () => {
  test("is any path but the root, which is the zone's own", () => {
    expect(placeForm("/x/")).toEqual({ ok: true, value: "/x" });
    for (const path of ["/", "//", "/.", "x"]) expect(placeForm(path).ok).toBe(false);
    for (const key of ["readable_paths", "writable_paths", "denied_paths", "allowed_sockets"]) {
      expect(mistakesIn(`[filesystem]\n${key} = ["/"]`)).toEqual([
        `p.toml:2:${key.length + 5} filesystem.${key}[0]: / is the zone's own root (filesystem.root chooses what it shows; list directories below it here)`,
      ]);
    }
  });
});
