import { describe, expect, test } from "bun:test";
import { commandTable } from "../../../src/cli/commands/table.ts";
import { parseSandboxArgs } from "../../../src/cli/flags/sandbox.ts";
import { sandboxFlags } from "../../../src/cli/flags/sandbox-table.ts";
import { wrap } from "../../../src/cli/help/layout.ts";
import { sandboxHelp } from "../../../src/cli/help.ts";
import { run } from "./ports.ts";

const golden = `${import.meta.dir}/../../golden/help`;

/** Every help text there is, by file name. RAUHA_UPDATE_GOLDEN=1 writes them anew. */
const pages: Readonly<Record<string, readonly string[]>> = {
  rauha: ["--help"],
  sandbox: ["sandbox", "--help"],
  policy: ["policy", "--help"],
  "policy-show": ["policy", "show", "--help"],
  "policy-check": ["policy", "check", "--help"],
  "policy-learn": ["policy", "learn", "--help"],
  doctor: ["doctor", "--help"],
  image: ["image", "--help"],
  "image-pull": ["image", "pull", "--help"],
  "image-ls": ["image", "ls", "--help"],
  "image-inspect": ["image", "inspect", "--help"],
  "image-import": ["image", "import", "--help"],
  "image-rm": ["image", "rm", "--help"],
  "image-prune": ["image", "prune", "--help"],
  setup: ["setup", "--help"],
  changes: ["changes", "--help"],
  diff: ["diff", "--help"],
  apply: ["apply", "--help"],
  discard: ["discard", "--help"],
  schema: ["schema", "--help"],
  completions: ["completions", "--help"],
  help: ["help", "--help"],
};

describe("help texts", () => {
  test.each(Object.entries(pages))("%s", async (name, argv) => {
    const { code, stdout, stderr } = await run(argv);
    expect([code, stderr]).toEqual([0, ""]);
    const file = Bun.file(`${golden}/${name}.txt`);
    if (Bun.env["RAUHA_UPDATE_GOLDEN"] === "1") await Bun.write(file, stdout);
    expect(stdout).toBe(await file.text());
  });

  test("there is one for every command of this build", () => {
    const commands = Object.entries(commandTable).flatMap(([name, spec]) => (spec.unavailable ? [] : [name]));
    expect(Object.keys(pages)).toEqual(expect.arrayContaining(commands));
  });

  test.each(Object.entries(pages))("%s fits into 80 columns, but for command lines", async (_, argv) => {
    const { stdout } = await run(argv);
    const long = stdout.split("\n").filter((line) => line.length > 80 && !line.startsWith("  rauha "));
    expect(long).toEqual([]);
  });
});

describe("asking for help", () => {
  test.each([[["sandbox", "-h"]], [["help", "sandbox"]], [["sandbox", "--netwrok", "--help"]]])("%j", async (argv) => {
    expect(await run(argv)).toEqual({ code: 0, stdout: sandboxHelp(), stderr: "" });
  });

  test("help of a subcommand, and of what there is not", async () => {
    expect((await run(["help", "policy", "show"])).stdout).toBe((await run(["policy", "show", "--help"])).stdout);
    expect((await run(["help"])).stdout).toBe((await run(["--help"])).stdout);
    expect(await run(["help", "sandbx"])).toMatchObject({ code: 2, stderr: expect.stringContaining("rauha sandbox?") });
    expect((await run(["help", "batch"])).code).toBe(125);
    expect((await run(["help", "doctor", "x"])).code).toBe(2);
  });

  test("is not what a task's --help is", async () => {
    const parsed = parseSandboxArgs(["--", "ls", "--help"], { cwd: "/" });
    expect(parsed.ok && parsed.invocation.help).toBe(false);
  });

  test("has headings in bold on a terminal only", async () => {
    expect((await run(["--help"], { terminal: true })).stdout).toContain("\u001b[1mUsage:\u001b[0m");
    expect((await run(["--help"], { terminal: true, env: { NO_COLOR: "1" } })).stdout).not.toContain("\u001b");
  });
});

describe("what help says is so", () => {
  test("every option of the table is in it", () => {
    for (const name of Object.keys(sandboxFlags)) expect(sandboxHelp()).toContain(`--${name}`);
  });

  test("every example of sandbox is a command line that parses", () => {
    const lines = sandboxHelp()
      .split("\n")
      .filter((line) => line.startsWith("  rauha sandbox ") && !line.includes("[options]"));
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) {
      const words = line
        .replace(/ [<>] \S+/g, "")
        .trim()
        .split(/\s+/)
        .slice(2);
      const cwd = "/home/me";
      const parsed = parseSandboxArgs(
        words.map((word) => word.replace(/^~/, cwd)),
        { cwd },
      );
      expect([line, parsed.ok ? [] : parsed.diagnostics]).toEqual([line, []]);
    }
  });

  test("wrapping loses no word and breaks no long one", () => {
    expect(wrap("a bb ccc", 4)).toEqual(["a bb", "ccc"]);
    expect(wrap("aaaaaaaa b", 4)).toEqual(["aaaaaaaa", "b"]);
    expect(wrap("", 4)).toEqual([""]);
  });
});
