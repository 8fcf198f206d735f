import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashOf } from "../../../scripts/rig/hash.ts";
import { parseOptions } from "../../../scripts/rig/options.ts";
import { filesFor, findTestFiles, quote, resultNames, suiteJob } from "../../../scripts/rig/suites.ts";

describe("the command line", () => {
  test("of a run keeps the command as it is", () => {
    const { verb, options } = parseOptions(["run", "--as", "user", "--", "ls", "--help", "--"]);
    expect(verb).toBe("run");
    expect(options.command).toEqual(["ls", "--help", "--"]);
    expect(options.identities).toEqual(["user"]);
  });

  test("of a test takes several filters and runs as all", () => {
    const { options } = parseOptions(["test", "--filter", "a", "--filter=b", "--junit", "f.xml", "--timeout", "90"]);
    expect(options).toMatchObject({
      filters: ["a", "b"],
      junit: "f.xml",
      timeoutMs: 90_000,
      identities: ["root", "user", "pinned"],
    });
  });

  test.each([
    [["tset"], 'no command "tset"'],
    [["test", "--fliter", "x"], "--fliter"],
    [["test", "--as", "nobody"], "expected root, user or pinned"],
    [["test", "--timeout", "5m"], "expected seconds"],
    [["run", "ls"], "goes after --"],
  ])("%p is refused", (argv, words) => {
    expect(() => parseOptions(argv)).toThrow(words);
  });

  test("of nothing asks for help", () => {
    expect(parseOptions([]).verb).toBe("help");
    expect(parseOptions(["test", "-h"]).verb).toBe("help");
  });
});

describe("the test files", () => {
  let checkout = "";
  beforeAll(() => {
    checkout = mkdtempSync(join(tmpdir(), "rauha-rig-unit-"));
    for (const folder of ["test/kernel/deep", "test/zone", "test/unit"])
      mkdirSync(join(checkout, folder), { recursive: true });
    for (const name of [
      "kernel/b.test.ts",
      "kernel/deep/a.test.ts",
      "kernel/probe.ts",
      "zone/z.test.ts",
      "unit/u.test.ts",
    ]) {
      writeFileSync(join(checkout, "test", name), "");
    }
  });
  afterAll(() => rmSync(checkout, { recursive: true }));

  test("are those of the kernel's suites; a suite that is not there yet is left out", async () => {
    const files = await findTestFiles(checkout, []);
    expect(files).toEqual(["test/kernel/b.test.ts", "test/kernel/deep/a.test.ts", "test/zone/z.test.ts"]);
  });

  test("are narrowed by any of the filters", async () => {
    expect(await findTestFiles(checkout, ["zone/", "b.test"])).toEqual([
      "test/kernel/b.test.ts",
      "test/zone/z.test.ts",
    ]);
    expect(await findTestFiles(checkout, ["unit"])).toEqual([]);
  });
});

describe("the guest's job", () => {
  const job = suiteJob({
    files: ["test/zone/z.test.ts"],
    identities: ["root", "user"],
    namePattern: "it's (a|b)",
    brief: false,
  });

  test("is a script that the shell can read", () => {
    expect(Bun.spawnSync(["bash", "-n"], { stdin: Buffer.from(job) }).exitCode).toBe(0);
  });

  test("runs each file as each identity, and ends what it leaves behind", () => {
    for (const identity of ["root", "user"]) {
      expect(job).toMatch(new RegExp(`^as-rig ${identity} timeout .* bun test `, "m"));
      expect(job).toContain(`end-session ${identity}\n`);
    }
  });

  test("sets the programs up before the first file that runs with them, or runs none of those", () => {
    const files = ["test/kernel/bpf/a.test.ts", "test/zone/kill.test.ts", "test/zone/z.test.ts"];
    const pinned = suiteJob({ files, identities: ["root", "pinned"], namePattern: null, brief: true });
    const [before = "", after = ""] = pinned.split("as-rig root dist/rauha setup >&2 4>&- || exit 97");
    expect(before).toContain("as-rig root timeout");
    expect(before).not.toContain("as-rig pinned");
    expect(after.match(/^as-rig pinned timeout .* \.\/test\/zone\/z\.test\.ts 4>&-$/gm)).toHaveLength(1);
    expect(filesFor("pinned", { files, brief: true })).toEqual(["test/zone/z.test.ts"]);
    expect(filesFor("pinned", { files, brief: false })).toEqual(files.slice(1));
    expect(filesFor("root", { files, brief: true })).toEqual(files);
    const none = suiteJob({ files: files.slice(0, 1), identities: ["pinned"], namePattern: null, brief: false });
    expect(none).not.toContain("setup");
  });

  test("sends report and exit code of each file as soon as it has run", () => {
    const { report, code } = resultNames("user", "test/zone/z.test.ts");
    expect(job).toContain(`--reporter-outfile=/run/rig/results/${report} `);
    expect(job).toContain(`echo $? >/run/rig/results/${code}\n`);
    expect(job.match(/tar -cf - -T - >&4\)$/gm)).toHaveLength(2);
  });

  test.each(["plain", "a b", "it's", "$HOME", "", "a\nb", "'", "`x`", "*"])("%p survives the shell", (word) => {
    const { stdout } = Bun.spawnSync(["sh", "-c", `printf %s ${quote(word)}`]);
    expect(stdout.toString()).toBe(word);
  });
});

test("a hash tells lists apart that read alike when joined", () => {
  expect(hashOf(["ab", "c"])).not.toBe(hashOf(["a", "bc"]));
  expect(hashOf(["a"])).not.toBe(hashOf(["a", ""]));
  expect(hashOf(["a", Buffer.from("b")])).toBe(hashOf(["a", "b"]));
});
