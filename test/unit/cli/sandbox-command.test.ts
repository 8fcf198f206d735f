import { describe, expect, test } from "bun:test";
import { parseSandboxArgs } from "../../../src/cli/flags/sandbox.ts";
import { accepted, cwd } from "./sandbox-args.ts";

function parse(...argv: string[]) {
  return parseSandboxArgs(argv, { cwd });
}

function command(...argv: string[]): readonly string[] {
  const parsed = parse(...argv);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics));
  return parsed.invocation.request.command;
}

describe("where the command begins", () => {
  test("after --, whatever it looks like", () => {
    expect(command("--", "ls", "--help")).toEqual(["ls", "--help"]);
    expect(command("--json", "--", "ls", "--json", "-it")).toEqual(["ls", "--json", "-it"]);
    expect(command("--", "--version")).toEqual(["--version"]);
    expect(command("--", "-")).toEqual(["-"]);
  });

  test("at the first argument that is no option, as with docker run, bwrap and timeout", () => {
    expect(command("ls", "-l")).toEqual(["ls", "-l"]);
    expect(command("--timeout", "5", "ls", "--help")).toEqual(["ls", "--help"]);
    expect(command("-it", "bash", "-c", "echo $0")).toEqual(["bash", "-c", "echo $0"]);
    expect(command("--json", "make", "--timeout", "5")).toEqual(["make", "--timeout", "5"]);
  });

  test("a later -- is the command's own", () => {
    expect(command("ls", "--", "-l")).toEqual(["ls", "--", "-l"]);
    expect(command("--", "git", "checkout", "--", "f")).toEqual(["git", "checkout", "--", "f"]);
    expect(command("--", "--", "x")).toEqual(["--", "x"]);
  });

  test("arguments stay byte for byte what they were", () => {
    const odd = ["", " ", "a b", "$HOME", "*", "'", '"', "\\", "\n", "ä", "--", "-"];
    expect(command("--", "printf", ...odd)).toEqual(["printf", ...odd]);
  });

  test("help of the command is the command's", () => {
    expect(accepted("--", "ls", "--help").help).toBe(false);
    const parsed = parse("ls", "-h");
    expect(parsed.ok && parsed.invocation.help).toBe(false);
  });

  test("a bundle may end with an option that takes a value", () => {
    const parsed = parse("-itw", "/x", "-ieA=1", "sh");
    expect(parsed).toMatchObject({
      ok: true,
      invocation: {
        request: { command: ["sh"], workdir: "/x", env: [{ name: "A", value: "1" }], io: { mode: "pty" } },
      },
    });
  });
});

describe("no command", () => {
  test.each([[[]], [["--"]], [["--json"]], [["--json", "--"]]])("%j", (argv) => {
    expect(parse(...argv)).toMatchObject({
      ok: false,
      diagnostics: [{ code: "usage", message: "no command was given", hint: expect.stringContaining("-- command") }],
    });
  });

  test.each([[[""]], [["--", ""]], [["", "ls"]]])("an empty one: %j", (argv) => {
    expect(parse(...argv)).toMatchObject({ ok: false, diagnostics: [{ message: "the command's name is empty" }] });
  });

  test("a pasted dash is no option", () => {
    expect(parse("–network", "none", "ls")).toMatchObject({
      ok: false,
      diagnostics: [{ message: expect.stringContaining("not the keyboard's -") }],
    });
  });
});
