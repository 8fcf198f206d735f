import { describe, expect, test } from "bun:test";
import { exitCodeOf, renderDiagnostics, styleFor } from "../../../src/cli/words.ts";

const plain = { colour: false };

describe("diagnostics in words", () => {
  test("say where, what, and how to fix it", () => {
    const words = renderDiagnostics(
      [
        {
          code: "usage",
          message: "unknown option --netwrok",
          hint: "did you mean --network?",
          origin: { kind: "flag", flag: "--netwrok" },
        },
        {
          code: "invalid_policy",
          message: "expected a size",
          origin: { kind: "policy", policy: "p", key: "resources.memory_limit", file: "p.toml", line: 3, column: 16 },
        },
        { code: "unenforceable", message: "more than the policy", origin: { kind: "flag", flag: "--memory" } },
        { code: "usage", message: "no command was given" },
      ],
      plain,
    );
    expect(words).toBe(
      "rauha: unknown option --netwrok\n" +
        "  hint: did you mean --network?\n" +
        "rauha: p.toml:3:16 resources.memory_limit: expected a size\n" +
        "rauha: --memory: more than the policy\n" +
        "rauha: no command was given\n",
    );
  });

  test("warnings say that they are", () => {
    expect(renderDiagnostics([{ code: "unenforceable", message: "m" }], plain, "warning")).toBe("rauha: warning: m\n");
  });

  test("nothing that a message carries can steer the terminal or forge a line", () => {
    const words = renderDiagnostics(
      [
        {
          code: "usage",
          message: "a\u001b[2Jb\nrauha: c\u202e\u009b",
          hint: "x\ny",
          origin: { kind: "flag", flag: "--\u001b]0;t\u0007" },
        },
      ],
      plain,
    );
    expect(words).toBe("rauha: --\\u001b]0;t\\u0007: a\\u001b[2Jb rauha: c\\u202e\\u009b\n  hint: x y\n");
  });
});

describe("colour", () => {
  test("only on a terminal, not with NO_COLOR, not on a dumb terminal", () => {
    expect(styleFor(true, {}).colour).toBe(true);
    expect(styleFor(true, { NO_COLOR: "" }).colour).toBe(true);
    expect(styleFor(false, {}).colour).toBe(false);
    expect(styleFor(true, { NO_COLOR: "1" }).colour).toBe(false);
    expect(styleFor(true, { TERM: "dumb" }).colour).toBe(false);
  });

  test("wraps the prefix and leaves the words alone", () => {
    const coloured = renderDiagnostics([{ code: "usage", message: "m", hint: "h" }], { colour: true });
    expect(coloured).toBe("\u001b[31mrauha:\u001b[0m m\n  \u001b[36mhint:\u001b[0m h\n");
  });
});

describe("exit codes", () => {
  test("2 for what must be written differently, 125 for what can't be done", () => {
    expect(exitCodeOf([{ code: "usage" }])).toBe(2);
    expect(exitCodeOf([{ code: "invalid_argument" }])).toBe(2);
    expect(exitCodeOf([{ code: "unsupported" }])).toBe(125);
    expect(exitCodeOf([{ code: "invalid_policy" }, { code: "not_found" }])).toBe(125);
    expect(exitCodeOf([{ code: "unsupported" }, { code: "usage" }])).toBe(2);
  });
});
