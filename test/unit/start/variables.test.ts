import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Glob } from "bun";
import { startVariable } from "../../../src/run/start/contract.ts";
import { startVariables, variablesOf } from "../../../src/run/start/variables.ts";

/** Variables that no start that is remembered depends on, and why. */
const noBearing: Readonly<Record<string, string>> = {
  [startVariable]: "says whether the front looks for a record at all",
  NODE_ENV: "set when Rauha is built",
  NO_COLOR: "colours of words, and a start that says any is not remembered",
  PATH: "where newuidmap is: such a start is not remembered; the task has a PATH of its own",
  XDG_RUNTIME_DIR: "where the launcher and records of zones may lie: nothing of the plan",
  PAGER: "other commands",
  LESS: "other commands",
  XDG_STATE_HOME: "where changes of a workspace are kept: such a run has parts",
  SSL_CERT_FILE: "pulls",
  NO_PROXY: "pulls, and network modes",
  no_proxy: "pulls, and network modes",
  REGISTRY_AUTH_FILE: "pulls",
  DOCKER_CONFIG: "pulls",
};

/** Names that the sources ask an environment for: `env["A"]`, `process.env.A`, and `const { A: a } = env`. */
function askedFor(text: string): string[] {
  const names = [...text.matchAll(/\benv(?:\[["'`]|\.)(\w+)/g)].map(([, name]) => name ?? "");
  for (const [, list] of text.matchAll(/const \{([^}]*)\} = (?:[\w.]+\.)?env\b/g))
    names.push(...(list ?? "").split(",").map((entry) => entry.trim().split(/[ :=]/)[0] ?? ""));
  return names.filter((name) => /^[A-Z_]+$|^no_proxy$/.test(name));
}

test("the search finds each way to ask", () => {
  const text = 'process.env["ONE"]; facts.env.TWO; const { THREE: a = "", FOUR } = process.env; x.env[`FIVE`]';
  expect(askedFor(text)).toEqual(["ONE", "TWO", "FIVE", "THREE", "FOUR"]);
});

test("every variable that the sources ask for is compared at each start, or has no bearing on it", () => {
  const asked = new Map<string, string>();
  for (const file of new Glob("src/**/*.ts").scanSync())
    if (!file.includes(".gen.")) for (const name of askedFor(readFileSync(file, "utf8"))) asked.set(name, file);
  expect([...asked.keys()]).toContain("RAUHA_STORE");
  const known = new Set<string>([...startVariables, ...Object.keys(noBearing)]);
  expect([...asked].filter(([name]) => !known.has(name))).toEqual([]);
});

test("each variable is noted once, with those that the policy hands in; an absent one as absent", () => {
  const noted = variablesOf(["LANG", "HOME", "toString"], { HOME: "/h", LANG: "", OTHER: "x" });
  const names = noted.map(([name]) => name);
  expect(names).toEqual([...new Set([...startVariables, "LANG", "toString"])]);
  expect(Object.fromEntries(noted)).toMatchObject({ HOME: "/h", LANG: "", USER: undefined, toString: undefined });
});
