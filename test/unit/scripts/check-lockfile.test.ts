import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkLockfile } from "../../../scripts/check-lockfile.ts";

const MANIFEST = { engines: { bun: "1.0.0" }, dependencies: { a: "1.2.3" }, devDependencies: { bun: "1.0.0" } };
const ENTRY = '    "a": ["a@1.2.3", "", {}, "sha512-abc=="],';
const trees: string[] = [];

function check(manifest: object, lines: readonly string[], others: readonly string[] = []): string[] {
  const root = mkdtempSync(join(tmpdir(), "lockfile-"));
  trees.push(root);
  writeFileSync(join(root, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(root, "bun.lock"), lines.join("\n"));
  for (const file of others) writeFileSync(join(root, file), "");
  return checkLockfile(root);
}

afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true, force: true });
});

test("pinned, checked and without an address passes", () => {
  expect(check(MANIFEST, ['  "packages": {', ENTRY, "  }"])).toEqual([]);
});

test("a range is refused", () => {
  for (const version of ["^1.2.3", "~1.2.3", "1.x", "latest", "*", ">=1.0.0"]) {
    expect(check({ ...MANIFEST, dependencies: { a: version } }, [ENTRY])).toEqual([
      `package.json: a is "${version}", an exact version is expected`,
    ]);
  }
});

test("a registry's address is refused, wherever it stands", () => {
  const bound = '    "a": ["a@1.2.3", "https://packages.example/a.tgz", {}, "sha512-abc=="],';
  expect(check(MANIFEST, [bound])).toEqual([
    "bun.lock:1: names the address https://packages.example/a.tgz",
    "bun.lock:1: a is bound to a registry",
  ]);
});

test("a package without a checksum is refused", () => {
  expect(check(MANIFEST, ['    "a": ["a@1.2.3", "", {}],'])).toEqual(["bun.lock:1: a has no checksum"]);
});

test("two opinions on bun's version are refused", () => {
  expect(check({ ...MANIFEST, engines: { bun: "1.0.1" } }, [ENTRY])).toEqual([
    "package.json: engines.bun and devDependencies.bun differ",
  ]);
});

test("other lockfiles and registry settings are refused", () => {
  expect(check(MANIFEST, [ENTRY], [".npmrc", "package-lock.json"])).toHaveLength(2);
});

test("this repository passes", () => {
  expect(checkLockfile(join(import.meta.dir, "../../.."))).toEqual([]);
});
