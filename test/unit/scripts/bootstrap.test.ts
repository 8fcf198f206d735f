import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
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

  /** Runs it as if by an ordinary user who lacks every Debian package, with programs of ours before the system's. */
  function runWith(programs: Record<string, string>): { code: number; out: string; err: string; aptCalls: string } {
    const folder = mkdtempSync(join(tmpdir(), "rauha-bootstrap-"));
    try {
      const calls = join(folder, "calls");
      const all = {
        id: "echo 1000",
        "dpkg-query": "exit 1",
        "apt-cache": "exit 0",
        "apt-get": `echo "$@" >>${calls}; echo "E: no such mirror" >&2; exit 100`,
        ...programs,
      };
      for (const [name, body] of Object.entries(all)) {
        writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
        chmodSync(join(folder, name), 0o755);
      }
      const env = { ...process.env, PATH: `${folder}:/usr/bin:/bin` };
      const { exitCode, stdout, stderr } = Bun.spawnSync([script, "build"], { env, stdin: "ignore" });
      const aptCalls = existsSync(calls) ? readFileSync(calls, "utf8") : "";
      return { code: exitCode, out: stdout.toString(), err: stderr.toString(), aptCalls };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test("says what root is to do when sudo wants a password that nobody can type, and starts nothing", () => {
    const { code, out, err, aptCalls } = runWith({ sudo: "exit 1" });
    expect(code).toBe(1);
    expect(out).toContain("bootstrap: missing for build: ");
    expect(err).toContain("sudo wants a password and there is no terminal to ask on");
    expect(err).toMatch(/As root: apt-get update && apt-get install --no-install-recommends [^|]*libbpf-dev/);
    expect(aptCalls).toBe("");
  });

  test("shows why apt-get failed, and ends there", () => {
    const { code, out, err, aptCalls } = runWith({ sudo: 'shift; exec "$@"' });
    expect(code).toBe(1);
    expect(err).toContain("E: no such mirror");
    expect(err).toEndWith(
      "bootstrap: apt-get update failed, for the reason above: is there a network, and do /etc/apt's sources exist?\n",
    );
    expect(out).not.toContain("ready");
    expect(aptCalls).toEndWith(" update\n");
  });
});
