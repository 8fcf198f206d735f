/** Has libseccomp build the filter of a profile. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Arch, ArgCondition, SeccompAction, SeccompProfile } from "../../../src/run/seccomp/profile.ts";
import { ruleApplies } from "../../../src/run/seccomp/scope.ts";
import { syscallTable } from "../../../src/run/seccomp/syscalls.ts";
import { cubeConditions, disjointRules } from "./disjoint.ts";

export interface Libseccomp {
  /** The bytes of the filter that libseccomp makes of these lines, and what it said about names. */
  run(lines: readonly string[]): { readonly filter: Uint8Array; readonly said: string };
  /** Names of an architecture's calls that this libseccomp knows. */
  known(arch: Arch): ReadonlySet<string>;
  close(): void;
}

/** Compiles the exporter, or says why there is none. */
export function openLibseccomp(): Libseccomp | string {
  const directory = mkdtempSync(join(tmpdir(), "rauha-libseccomp-"));
  const program = join(directory, "export");
  const source = join(import.meta.dir, "libseccomp-export.c");
  const made = Bun.spawnSync(["gcc", "-O1", "-Wall", "-Werror", "-o", program, source, "-lseccomp"], { stdin: null });
  if (made.exitCode !== 0) {
    rmSync(directory, { recursive: true });
    return `gcc -lseccomp: ${made.stderr.toString()}`;
  }
  const run: Libseccomp["run"] = (lines) => {
    const done = Bun.spawnSync([program], { stdin: Buffer.from(`${lines.join("\n")}\n`) });
    if (done.exitCode !== 0) throw new Error(done.stderr.toString());
    return { filter: Uint8Array.from(done.stdout), said: done.stderr.toString() };
  };
  const known: Libseccomp["known"] = (arch) => {
    const { said } = run([...syscallTable(arch).numbers.keys()].map((name) => `known ${name}`));
    const names = said.split("\n").map((line) => line.split(" "));
    return new Set(names.flatMap(([name = "", number]) => (Number(number) >= 0 ? [name] : [])));
  };
  return { run, known, close: () => rmSync(directory, { recursive: true }) };
}

const operators = { ne: 1, lt: 2, le: 3, eq: 4, ge: 5, gt: 6, masked_eq: 7 } as const;

/** A profile in the exporter's lines: what it says for these capabilities, of the calls that libseccomp knows. */
export function exportLines(
  profile: SeccompProfile,
  surroundings: { readonly arch: Arch; readonly capabilities: readonly string[] },
  known: ReadonlySet<string>,
): string[] {
  const fallback = actionValue(profile.defaultAction);
  const lines = [`begin ${surroundings.arch} ${hex(fallback)}`];
  const rules = profile.rules.filter((rule) => ruleApplies(rule, surroundings));
  for (const name of new Set(rules.flatMap((rule) => rule.names))) {
    if (!known.has(name)) continue;
    const own = rules.filter((rule) => rule.names.includes(name));
    for (const { conditions, action } of unordered(
      own.map((rule) => ({ ...rule, action: actionValue(rule.action) })),
    )) {
      if (action !== fallback) lines.push(ruleLine(name, conditions, action));
    }
  }
  return lines;
}

/** Order of rules means nothing to libseccomp; a rule alone has none. */
function unordered(rules: readonly { conditions: readonly ArgCondition[]; action: number }[]) {
  if (rules.length === 1) return rules;
  return disjointRules(rules).map(({ cube, action }) => ({ conditions: cubeConditions(cube), action }));
}

function ruleLine(name: string, conditions: readonly ArgCondition[], action: number): string {
  const words = conditions.map((condition) => {
    const [a, b] = condition.op === "masked_eq" ? [condition.mask, condition.value] : [condition.value, 0n];
    return `${condition.index} ${operators[condition.op]} ${hex(a)} ${hex(b)}`;
  });
  return ["rule", hex(action), name, conditions.length, ...words].join(" ");
}

function actionValue(action: SeccompAction): number {
  if (action.kind === "errno") return 0x0005_0000 + action.errno;
  return {
    allow: 0x7fff_0000,
    log: 0x7ffc_0000,
    trap: 0x0003_0000,
    kill_thread: 0,
    kill_process: 0x8000_0000,
    notify: 0x0005_0001,
  }[action.kind];
}

function hex(value: number | bigint): string {
  return value.toString(16);
}
