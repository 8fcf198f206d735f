import { loadPolicy } from "../policy-source.ts";
import { answer, answerJson, refuse } from "./answer.ts";
import { command } from "./command.ts";

/** `rauha policy check FILE`: every mistake of a policy file, or the word that there is none. */
export const policyCheck = command(async ({ operands, json, ports }) => {
  const [file = ""] = operands;
  const loaded = await loadPolicy(file, { cwd: ports.cwd, origin: { kind: "flag", flag: "policy check" } });
  if (!loaded.ok) return refuse(ports, loaded.diagnostics, json);
  const { name, hash } = loaded.policy;
  if (json) return answerJson(ports, { valid: true, file, policy: { name, hash } });
  return answer(ports, `${file}: valid (policy ${name}, ${hash})\n`);
});
