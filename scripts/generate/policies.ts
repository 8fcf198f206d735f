import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Diagnostic, renderOrigin } from "../../src/run/diagnostic.ts";
import { parsePolicy } from "../../src/run/policy/parse.ts";
import type { Policy } from "../../src/run/policy/policy.ts";
import type { GeneratedFile } from "./generator.ts";

/** Shipped policies; one that extends another comes after it. */
const names = ["task", "build", "standard", "strict", "privileged"];

const header = `/**
 * The shipped policies as plain data, generated from policies/*.toml by scripts/generate/policies.ts; don't edit.
 * The hot path has its policy from here: it reads no TOML and loads no zod.
 */
import type { Policy } from "./policy.ts";
`;

/** Compiles policies/*.toml into data for src/run. */
export function generatePolicies(): readonly GeneratedFile[] {
  const shipped: Record<string, Policy> = {};
  for (const name of names) shipped[name] = compile(name, shipped);
  const content = `${header}
export const shippedPolicies: Readonly<Record<string, Policy>> = ${JSON.stringify(shipped, null, 2)};

export const shippedPolicyNames: readonly string[] = ${JSON.stringify(names)};
`;
  return [{ path: "src/run/policy/shipped.gen.ts", content }];
}

function compile(name: string, shipped: Readonly<Record<string, Policy>>): Policy {
  const file = `policies/${name}.toml`;
  const outcome = parsePolicy(readFileSync(file), {
    file,
    shipped,
    loadExtends: () => ({ ok: false, message: "a shipped policy extends shipped policies only" }),
    sha256: (bytes) => createHash("sha256").update(bytes).digest("hex"),
  });
  if (!outcome.ok) throw new Error(outcome.diagnostics.map(render).join("\n"));
  const { base: _, ...policy } = outcome.policy;
  // A shipped policy is known by name and key: users have no file to look at.
  return { ...policy, places: {} };
}

function render({ message, origin, hint }: Diagnostic): string {
  return `${origin === undefined ? "" : `${renderOrigin(origin)}: `}${message}${hint === undefined ? "" : ` (${hint})`}`;
}
