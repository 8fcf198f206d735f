import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileExecutable } from "../../../scripts/build/executable.ts";
import { hashInputs, isFresh, writeWhole } from "../../../scripts/build/stamp.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "build-"));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

describe("a compiled program in a hostile directory", () => {
  test("is not touched by its bunfig.toml, .env, tsconfig.json or package.json", () => {
    const program = join(root, "program");
    writeFileSync(join(root, "main.ts"), 'console.log(JSON.stringify([process.env["PLANTED"] ?? null]));');
    compileExecutable(join(root, "main.ts"), program);

    const hostile = join(root, "hostile");
    mkdirSync(hostile);
    writeFileSync(join(hostile, "evil.ts"), 'console.log("the hostile directory ran code");');
    writeFileSync(join(hostile, "bunfig.toml"), 'preload = ["./evil.ts"]\n[define]\n"process.env.PLANTED" = "1"\n');
    for (const name of [".env", ".env.local", ".env.production"]) writeFileSync(join(hostile, name), "PLANTED=1\n");
    writeFileSync(join(hostile, "tsconfig.json"), '{ "compilerOptions": { "paths": { "*": ["./evil.ts"] } } }');
    writeFileSync(join(hostile, "package.json"), '{ "name": "x", "imports": { "#x": "./evil.ts" } }');

    const { exitCode, stdout, stderr } = Bun.spawnSync([program], { cwd: hostile, env: { PATH: "/usr/bin:/bin" } });
    expect(stdout.toString()).toBe("[null]\n");
    expect(stderr.toString()).toBe("");
    expect(exitCode).toBe(0);
  }, 60_000);

  test("and the same sources give the same bytes", () => {
    const [first, second] = [join(root, "one/program"), join(root, "two/program")];
    compileExecutable(join(root, "main.ts"), first);
    compileExecutable(join(root, "main.ts"), second);
    expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
  }, 60_000);

  test("and a program that does not compile leaves nothing behind", () => {
    writeFileSync(join(root, "broken.ts"), 'import "./missing.ts";');
    expect(() => compileExecutable(join(root, "broken.ts"), join(root, "out/program"))).toThrow(/does not compile/);
    expect([...new Bun.Glob("**").scanSync({ cwd: join(root, "out"), dot: true })]).toEqual([]);
  }, 60_000);
});

describe("a stamp", () => {
  test("changes with a file's name, its content, its absence and the command", () => {
    const file = join(root, "input");
    writeFileSync(file, "a");
    const hashes = [hashInputs([file], ["cc"]), hashInputs([file], ["cc", "-O2"]), hashInputs([`${file}2`], ["cc"])];
    writeFileSync(file, "b");
    hashes.push(hashInputs([file], ["cc"]));
    expect(new Set(hashes).size).toBe(4);
  });

  test("is fresh only with its hash and all outputs there", () => {
    const [stamp, output] = [join(root, "build/stamp"), join(root, "build/output")];
    expect(isFresh(stamp, "1", [])).toBe(false);
    writeWhole(stamp, "1\n");
    expect(isFresh(stamp, "1", [])).toBe(true);
    expect(isFresh(stamp, "2", [])).toBe(false);
    expect(isFresh(stamp, "1", [output])).toBe(false);
    writeWhole(output, "");
    expect(isFresh(stamp, "1", [output])).toBe(true);
  });
});
