import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../../..");
const script = join(root, "scripts/bootstrap.sh");
const source = readFileSync(script, "utf8");

describe("bootstrap", () => {
  test("refuses a group that it doesn't know, before it installs anything", () => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([script, "build", "everything"], { cwd: "/", stdin: "ignore" });
    expect(exitCode).toBe(1);
    expect(stderr.toString()).toBe("bootstrap: no group named 'everything' (build, check, test, kernel, bench)\n");
    expect(stdout.toString()).toBe("");
  });

  test("names no host: packages come from wherever this machine is set up to get them", () => {
    expect(source).not.toMatch(/[a-z]+:\/\//i);
    expect(source).not.toMatch(/--registry|npm_config|\.npmrc/);
  });

  test("reads the one pinned version of bun", () => {
    const expression = /sed -n '([^']+)' package\.json/.exec(source)?.[1] ?? "";
    const { stdout } = Bun.spawnSync(["sed", "-n", expression, join(root, "package.json")]);
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      devDependencies: Record<string, string>;
    };
    expect(stdout.toString()).toBe(`${manifest.devDependencies["bun"]}\n`);
  });
});
