import type { Policy } from "../../run/policy/policy.ts";
import { errorOfDiagnostics } from "../../run/report/errors.ts";
import { loadPolicy } from "../policy-source.ts";
import { renderDiagnostics, styleFor } from "../words.ts";
import { answer, answerJson, refuse } from "./answer.ts";
import { command } from "./command.ts";
import { checkFilter, planTrial } from "./plan-trial.ts";

/**
 * `rauha policy check FILE`: every mistake of a policy file and of the system call profile that it names; of a valid one, as
 * warnings, the rules that this host would refuse to run with.
 */
export const policyCheck = command(async ({ operands, json, ports }) => {
  const [file = ""] = operands;
  const loaded = await loadPolicy(file, { cwd: ports.cwd, origin: { kind: "flag", flag: "policy check" } });
  if (!loaded.ok) return refuse(ports, loaded.diagnostics, json);
  const backend = await ports.backend();
  const facts = backend.probe();
  const mistakes = await checkFilter(backend, facts, loaded.policy);
  if (mistakes.length > 0) return refuse(ports, mistakes, json);
  const outcome = await planTrial(backend, facts, loaded.policy);
  const { name, hash } = loaded.policy;
  const refused = outcome.ok ? [] : outcome.diagnostics;
  ports.write(2, renderDiagnostics(refused, styleFor(ports.isTerminal(2), ports.env), "warning"));
  if (!json) return answer(ports, validWords(file, loaded.policy, refused.length));
  const here = refused.map((diagnostic) => errorOfDiagnostics([diagnostic], "plan"));
  return answerJson(ports, { valid: true, file, policy: { name, hash }, unenforceable_here: here });
});

function validWords(file: string, { name, hash }: Policy, refused: number): string {
  const here =
    refused === 0 ? "" : `; this host would refuse to run with it, see the warning${refused === 1 ? "" : "s"}`;
  return `${file}: valid (policy ${name}, ${hash})${here}\n`;
}
