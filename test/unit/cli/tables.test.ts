import { describe, expect, test } from "bun:test";
import { routeCommand } from "../../../src/cli/commands/route.ts";
import type { CommandSpec } from "../../../src/cli/commands/spec.ts";
import { rootSpec } from "../../../src/cli/commands/table.ts";
import { foreignFlags } from "../../../src/cli/flags/foreign.ts";
import { sandboxFlags } from "../../../src/cli/flags/sandbox-table.ts";
import { longName, shortName } from "../../../src/cli/flags/table-names.ts";

/** Every command of the tree, by its path. */
function commands(path: readonly string[], spec: CommandSpec): [string, CommandSpec][] {
  const children = Object.entries(spec.subcommands ?? {});
  return [[path.join(" "), spec], ...children.flatMap(([name, child]) => commands([...path, name], child))];
}

const all = commands(["rauha"], rootSpec);

describe.each(all)("%s", (_, spec) => {
  test("has a summary without a full stop", () => {
    expect(spec.summary).toMatch(/^[A-Z].*[^.]$/);
  });

  test("names only groups that have a heading", () => {
    for (const { group } of Object.values(spec.flags)) expect(Object.keys(spec.groups)).toContain(group);
  });

  test("gives no name to two options", () => {
    const names = Object.entries(spec.flags).flatMap(([name, { aliases, short }]) => [
      name,
      ...(aliases ?? []),
      ...(short === undefined ? [] : [short]),
    ]);
    expect(new Set(names).size).toBe(names.length);
  });

  test("has help and an example, unless it is of a later build", () => {
    if (spec.unavailable) return;
    expect(Object.keys(spec.flags)).toContain("help");
    expect(spec.examples.length).toBeGreaterThan(0);
  });

  test("has required operands before optional ones", () => {
    const required = (spec.operands ?? []).map((operand) => operand.required);
    expect(required).toEqual(required.toSorted((a, b) => Number(b) - Number(a)));
  });
});

describe("examples", () => {
  const lines = all.flatMap(([, spec]) => spec.examples.map(({ line }) => line));

  test.each(lines)("%s leads to a command of this build", (line) => {
    const [words = ""] = /rauha [^|>)]*/.exec(line) ?? [];
    const route = routeCommand(rootSpec, words.trim().split(" ").slice(1));
    expect(route.kind).not.toBe("wrong");
  });
});

describe("the contract's options of sandbox", () => {
  const longs =
    "image repo-path repo repo-mode workdir policy name keep-zone timeout env env-pass ro-bind rw-bind tmpfs dir symlink network " +
    "allow-domain allow-egress user hostname memory cpus pids limit-cpu limit-as limit-fsize limit-nofile limit-core isolation stream " +
    "result result-fd tty interactive json max-output explain on-success patch";

  test.each(longs.split(" "))("--%s", (name) => {
    expect(longName(sandboxFlags, name)).toBeDefined();
  });

  test.each([
    ["w", "workdir"],
    ["e", "env"],
    ["b", "ro-bind"],
    ["B", "rw-bind"],
    ["t", "tty"],
    ["i", "interactive"],
  ])("-%s is --%s", (letter, name) => {
    expect(shortName(sandboxFlags, letter)).toBe(name);
  });
});

describe("what other programs call it", () => {
  test.each(Object.entries(foreignFlags()))("%s is none of ours, and its hint names what is", (spelled, hint) => {
    const word = spelled.replace(/^-+/, "");
    expect(spelled.startsWith("--") ? longName(sandboxFlags, word) : shortName(sandboxFlags, word)).toBeUndefined();
    for (const [, name = ""] of hint.matchAll(/--([a-z][a-z-]*)/g)) expect(longName(sandboxFlags, name)).toBe(name);
  });
});
