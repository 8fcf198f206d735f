import { describe, expect, mock, test } from "bun:test";
import { commandTable } from "../../../src/cli/commands/table.ts";
import { unavailableCommands } from "../../../src/cli/commands/unavailable.ts";
import { userFacts } from "../plan/inputs.ts";
import { run } from "./ports.ts";

mock.module("../../../build/build-info.json", () => ({
  version: "1.2.3",
  commit: "abcdef012345",
  launcherSha256: "0".repeat(64),
}));

describe("the tree", () => {
  test("has code for every command of the table", async () => {
    for (const [name, spec] of Object.entries(commandTable)) {
      if (spec.unavailable || name === "sandbox") continue;
      for (const path of spec.subcommands === undefined
        ? [[name]]
        : Object.keys(spec.subcommands).map((sub) => [name, sub])) {
        const { stderr } = await run(path);
        expect(stderr).not.toContain("no code for");
      }
    }
  });

  test("knows every command of the contract", () => {
    const names =
      "sandbox batch zone run ps stop delete exec attach logs image policy events trace top changes diff apply discard";
    const rest = "setup doctor schema completions mcp oci workload";
    for (const name of `${names} ${rest}`.split(" ")) expect(Object.keys(commandTable)).toContain(name);
  });
});

describe("mistakes", () => {
  test("no command at all is a usage error", async () => {
    expect(await run([])).toEqual({
      code: 2,
      stdout: "",
      stderr: "rauha: no command was given\n  hint: rauha --help lists the commands\n",
    });
  });

  test.each([
    ["sandbx", "did you mean rauha sandbox?"],
    ["docter", "did you mean rauha doctor?"],
    ["polcy", "did you mean rauha policy?"],
    ["comp", "did you mean rauha completions?"],
  ])("%s", async (word, hint) => {
    const { code, stderr, stdout } = await run([word]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toBe(`rauha: "${word}" is not a command of rauha\n  hint: ${hint}\n`);
  });

  test("a program is told where it belongs", async () => {
    expect((await run(["python3", "x.py"])).stderr).toContain("rauha sandbox -- python3");
    expect((await run(["$(id)"])).stderr).toContain("rauha sandbox -- PROGRAM");
  });

  test("names that every object has are unknown commands too", async () => {
    for (const word of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
      expect(await run([word])).toMatchObject({ code: 2, stderr: expect.stringContaining("is not a command") });
      expect(await run(["policy", word])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("is not a command"),
      });
    }
  });

  test("a subcommand", async () => {
    expect((await run(["policy"])).stderr).toBe(
      "rauha: no command was given\n  hint: rauha policy --help lists the commands\n",
    );
    expect((await run(["policy", "chek", "f"])).stderr).toContain("did you mean rauha policy check?");
    expect((await run(["policy", "zzzzzzzz"])).stderr).toContain(
      "expected rauha policy show, rauha policy check or rauha policy learn",
    );
  });

  test("an option of no command, and one of a command before its name", async () => {
    expect(await run(["--verson"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("did you mean --version?"),
    });
    expect((await run(["--json", "doctor"])).stderr).toContain("write rauha doctor --json");
    expect((await run(["--timeout", "5", "ls"])).stderr).toContain("write rauha sandbox --timeout");
    expect((await run(["-json"])).stderr).toContain("did you mean --json?");
    expect((await run(["--json"])).stderr).toContain("no command was given");
  });

  test("options and operands, all mistakes of the options at once", async () => {
    const { code, stderr } = await run(["doctor", "--jsno", "--verbose"]);
    expect(code).toBe(2);
    expect(stderr).toContain("unknown option --jsno");
    expect(stderr).toContain("unknown option --verbose");
    expect((await run(["doctor", "now"])).stderr).toContain('"now" is one argument too many');
    expect((await run(["schema"])).stderr).toContain("result|event|policy is missing");
    expect((await run(["schema", "results"])).stderr).toContain("did you mean rauha schema result?");
    expect((await run(["policy", "check"])).stderr).toContain("FILE is missing");
    expect((await run(["policy", "check", ""])).stderr).toContain("FILE is empty");
    expect((await run(["completions", "tcsh"])).stderr).toContain('"tcsh" is not one of bash, zsh or fish');
  });
});

describe("commands of later builds", () => {
  test.each(Object.keys(unavailableCommands))("%s is known and refused", async (name) => {
    const { code, stdout, stderr } = await run([name, "--whatever", "x"]);
    expect(code).toBe(125);
    expect(stdout).toBe("");
    expect(stderr).toContain(`rauha ${name} is not available in this build`);
  });

  test.each(["apply"])("policy %s", async (name) => {
    expect((await run(["policy", name])).code).toBe(125);
    expect((await run(["policy", "show", "--zone", "z"])).code).toBe(125);
  });
});

describe("--json", () => {
  test("gives an error on stdout with the keys of a result's error, beside the words", async () => {
    const { code, stdout, stderr } = await run(["batch", "--json"]);
    expect(code).toBe(125);
    const message = "rauha batch is not available in this build";
    expect(stderr).toContain(message);
    const error = {
      code: "unsupported",
      stage: "request",
      kind: "unsupported",
      message,
      hint: "rauha --help lists what is",
      origin: null,
    };
    expect(JSON.parse(stdout)).toEqual({ error, errors: [error] });
  });

  test("has every mistake", async () => {
    const { stdout } = await run(["doctor", "--json", "--aaaa", "--bbbb"]);
    expect(JSON.parse(stdout).errors.map(({ message }: { message: string }) => message)).toEqual([
      "unknown option --aaaa",
      "unknown option --bbbb",
    ]);
  });

  test("after -- is no option", async () => {
    expect((await run(["batch", "--", "--json"])).stdout).toBe("");
  });
});

describe("--version", () => {
  test.each([["--version"], ["-V"]])("%s", async (flag) => {
    expect(await run([flag])).toEqual({
      code: 0,
      stdout: `rauha 1.2.3 (commit abcdef012345, launcher sha256:${"0".repeat(64)})\n`,
      stderr: "",
    });
  });

  test("as JSON", async () => {
    const { stdout } = await run(["--version", "--json"]);
    expect(JSON.parse(stdout)).toEqual({ version: "1.2.3", commit: "abcdef012345", launcher_sha256: "0".repeat(64) });
  });
});

describe("what goes wrong inside", () => {
  test("is one line without a stack, and exit code 125", async () => {
    const { code, stderr } = await run(["doctor"], { facts: { ...userFacts, cgroup: undefined as never } });
    expect(code).toBe(125);
    expect(stderr).toStartWith("rauha: ");
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stderr.split("\n")).toHaveLength(3);
  });
});

describe("schema", () => {
  test.each(["result", "event", "policy"])("%s is a JSON Schema", async (name) => {
    const { code, stdout, stderr } = await run(["schema", name]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
    });
    expect((await run(["schema", name, "--json"])).stdout).toBe(stdout);
  });
});
