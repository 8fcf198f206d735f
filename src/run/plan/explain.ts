import { renderOrigin } from "../diagnostic.ts";
import type { PlanOp } from "./contract.ts";
import type { Plan } from "./plan.ts";

/** The plan in words, one line for each op: what happens, and which flag or policy key asked for it. `--explain` prints it. */
export function explainPlan(plan: Plan): string {
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
  lines.push("", "what holds, and by which mechanism:");
  for (const { name, state, mechanism } of plan.guarantees) {
    lines.push(`  ${name.padEnd(18)} ${state.padEnd(13)} ${mechanism ?? ""}`.trimEnd());
  }
  for (const warning of plan.warnings) lines.push("", `warning: ${warning.message}`);
  return `${lines.join("\n")}\n`;
}

/** The plan as data for `--explain --json`; bytes and 64-bit numbers in printable form. */
export function explainPlanData(plan: Plan): unknown {
  return {
    schema: "rauha.sandbox.plan/v1",
    task_id: plan.taskId,
    zone_id: plan.zoneId,
    command: plan.command,
    policy: plan.policy,
    isolation: plan.isolation,
    ops: plan.ops.map(({ op, intent, origin }) => ({ ...printable(op), intent, origin: renderOrigin(origin) })),
    guarantees: plan.guarantees.map(({ name, state, mechanism }) => ({ name, state, mechanism })),
    warnings: plan.warnings.map(({ message }) => message),
  };
}

function printable(op: PlanOp): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(op).map(([key, value]) => {
      if (typeof value === "bigint") return [key, `0x${value.toString(16)}`];
      if (value instanceof Uint8Array) return [key, new TextDecoder().decode(value)];
      return [key, value];
    }),
  );
}
