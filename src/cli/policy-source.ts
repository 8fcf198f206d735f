import type { Origin } from "../run/diagnostic.ts";
import { shippedPolicies } from "../run/policy/shipped.gen.ts";
import { quote, shellWord } from "./flags/quote.ts";
import { suggest } from "./flags/suggest.ts";
import type { LoadedPolicy, PolicyQuestion } from "./policy-file.ts";

/** Whom a policy that a command line named is traced to. */
export const policyFlag: Origin = { kind: "flag", flag: "--policy" };

/**
 * The policy that a word means: the shipped one of that name, which costs nothing; else a file, for which the parser is loaded. A
 * file that bears a shipped policy's name is meant by `./name`.
 */
export async function loadPolicy(
  name: string,
  { cwd, origin = policyFlag, consulted }: PolicyQuestion,
): Promise<LoadedPolicy> {
  const shipped = Object.hasOwn(shippedPolicies, name) ? shippedPolicies[name] : undefined;
  if (shipped !== undefined) return { ok: true, policy: shipped };
  const { isFile, readPolicyFile } = await import("./policy-file.ts");
  const isPath = name.includes("/") || name.endsWith(".toml");
  if (!isPath) consulted?.otherwise();
  if (isPath || isFile(name, cwd)) return readPolicyFile(name, { cwd, origin, consulted });
  const names = Object.keys(shippedPolicies);
  const near = suggest(name, names);
  const file = shellWord(`./${name}${isFile(`${name}.toml`, cwd) ? ".toml" : ""}`);
  const hint =
    near === undefined
      ? `the shipped ones are ${names.join(", ")}; a file is written ${file}`
      : `did you mean ${near}, or the file ${file}?`;
  return {
    ok: false,
    diagnostics: [{ code: "not_found", message: `there is no shipped policy ${quote(name)}`, hint, origin }],
  };
}
