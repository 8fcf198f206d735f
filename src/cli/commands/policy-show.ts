import { policyTree } from "../../run/policy/document.ts";
import type { Policy } from "../../run/policy/policy.ts";
import { shippedPolicies } from "../../run/policy/shipped.gen.ts";
import { formatDuration, formatSize } from "../../run/units.ts";
import { loadPolicy } from "../policy-source.ts";
import { answer, answerJson, refuse } from "./answer.ts";
import { command } from "./command.ts";

/** `rauha policy show [NAME|FILE]`: one policy with every default filled in, or the list of shipped ones. */
export const policyShow = command(async ({ operands, json, ports }) => {
  const [name] = operands;
  if (name === undefined) {
    const policies = Object.values(shippedPolicies);
    return json ? answerJson(ports, { policies: policies.map(policyData) }) : answer(ports, renderList(policies));
  }
  const loaded = await loadPolicy(name, { cwd: ports.cwd, origin: { kind: "flag", flag: "policy show" } });
  if (!loaded.ok) return refuse(ports, loaded.diagnostics, json);
  if (json) return answerJson(ports, policyData(loaded.policy));
  const { renderPolicy } = await import("../../run/policy/render.ts");
  return answer(ports, renderPolicy(loaded.policy));
});

/** The keys of the policy's text, in its units, beside name and hash. */
function policyData(policy: Policy): unknown {
  const { name, hash, base } = policy;
  return { name, hash, extends: base ?? null, ...policyTree(policy) };
}

function renderList(policies: readonly Policy[]): string {
  const rows = [
    ["NAME", "NETWORK", "CAPABILITIES", "MEMORY", "PIDS", "TIME"],
    ...policies.map(({ name, network, capabilities, resources, limits }) => [
      name,
      network.mode,
      String(capabilities.allowed.length),
      resources.memoryLimitBytes === null ? "-" : formatSize(resources.memoryLimitBytes),
      String(resources.pidsMax ?? "-"),
      limits.walltimeMs === 0 ? "-" : formatDuration(limits.walltimeMs),
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return `${rows.map(line).join("\n")}\n`;
}
