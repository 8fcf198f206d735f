import { renderOrigin } from "../diagnostic.ts";
import type { PlanOp } from "./contract.ts";
import type { ExplainedRule } from "./explain-rules.ts";
import type { Plan } from "./plan.ts";

/**
 * The plan in words, one line for each op and each rule: what happens, and which flag or policy key asked for it. `--explain` prints it.
 * `rules` are the entries of lists that ops hold the zone to.
 */
export function explainPlan(plan: Plan, rules: readonly ExplainedRule[]): string {
  const lines = [
    `zone ${plan.zoneId}, policy ${plan.policy.name} (${plan.policy.hash})`,
    "",
    "what happens, in this order:",
  ];
  const rows = plan.ops.map(({ op, intent, origin }) => [op.op, intent, renderOrigin(origin)] as const);
  const widths = [0, 1].map((column) => Math.min(64, Math.max(...rows.map((row) => row[column as 0 | 1].length))));
  for (const [name, intent, origin] of rows) {
    lines.push(`  ${name.padEnd(widths[0] ?? 0)}  ${intent.padEnd(widths[1] ?? 0)}  ${origin}`);
  }
  if (rules.length > 0) lines.push("", "what the task may, and may not:");
  const width = Math.min(64, Math.max(...rules.map(({ rule }) => rule.length)));
  for (const { rule, origin } of rules) lines.push(`  ${rule.padEnd(width)}  ${renderOrigin(origin)}`);
  lines.push("", "what holds, and by which mechanism:");
  for (const { name, state, mechanism } of plan.guarantees) {
    lines.push(`  ${name.padEnd(18)} ${state.padEnd(13)} ${mechanism ?? ""}`.trimEnd());
  }
  for (const warning of plan.warnings) lines.push("", `warning: ${warning.message}`);
  return `${lines.join("\n")}\n`;
}

/** The plan as data for `--explain --json`: a file's content as text where it is text, other bytes in base64, masks in hex. */
export function explainPlanData(plan: Plan, rules: readonly ExplainedRule[]): unknown {
  return {
    schema: "rauha.sandbox.plan/v1",
    task_id: plan.taskId,
    zone_id: plan.zoneId,
    command: plan.command,
    policy: plan.policy,
    isolation: plan.isolation,
    ops: plan.ops.map(({ op, intent, origin }) => ({ ...printable(op), intent, origin: renderOrigin(origin) })),
    rules: rules.map(({ rule, origin }) => ({ rule, origin: renderOrigin(origin) })),
    guarantees: plan.guarantees.map(({ name, state, mechanism }) => ({ name, state, mechanism })),
    warnings: plan.warnings.map(({ message }) => message),
  };
}

function printable(op: PlanOp): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(op).map(([key, value]) => {
      if (typeof value === "bigint") return [key, `0x${value.toString(16)}`];
      if (value instanceof Uint8Array) return [key, (op.op === "file" ? textOf(value) : undefined) ?? value.toBase64()];
      return [key, value];
    }),
  );
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
