import { type Diagnostic, renderOrigin } from "../../../src/run/diagnostic.ts";
import type { LoadedPolicy } from "../../../src/run/policy/chain.ts";
import { type PolicyOptions, type PolicyOutcome, parsePolicy } from "../../../src/run/policy/parse.ts";
import type { Policy } from "../../../src/run/policy/policy.ts";
import { shippedPolicies } from "../../../src/run/policy/shipped.gen.ts";

/** Reading policies as the command line does, with files that are only in memory. */

export const sha256 = (bytes: Uint8Array): string => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** Files by name, as `extends` names them. */
export function options(files: Readonly<Record<string, string>> = {}, file = "p.toml"): PolicyOptions {
  const loadExtends = (name: string): LoadedPolicy => {
    const text = files[name];
    return text === undefined ? { ok: false, message: `${name} is not there` } : { ok: true, file: name, text };
  };
  return { file, directory: "/etc/rauha", shipped: shippedPolicies, loadExtends, sha256 };
}

export function readPolicy(text: string | Uint8Array, files?: Readonly<Record<string, string>>): PolicyOutcome {
  return parsePolicy(text, options(files));
}

/** The policy of a text without mistakes. */
export function policyOf(text: string, files?: Readonly<Record<string, string>>): Policy {
  const outcome = readPolicy(text, files);
  if (!outcome.ok) throw new Error(outcome.diagnostics.map(line).join("\n"));
  return outcome.policy;
}

/** Every mistake in a text, each as `file:line:column key: message (hint)`. */
export function mistakesIn(text: string | Uint8Array, files?: Readonly<Record<string, string>>): string[] {
  const outcome = readPolicy(text, files);
  return outcome.ok ? [] : outcome.diagnostics.map(line);
}

/** `p.toml:3:5 resources.cpus` and the like. */
export function placesIn(text: string, files?: Readonly<Record<string, string>>): string[] {
  const outcome = readPolicy(text, files);
  return outcome.ok ? [] : outcome.diagnostics.map(({ origin }) => (origin === undefined ? "" : renderOrigin(origin)));
}

function line({ message, origin, hint }: Diagnostic): string {
  return `${origin === undefined ? "" : renderOrigin(origin)}: ${message}${hint === undefined ? "" : ` (${hint})`}`;
}
