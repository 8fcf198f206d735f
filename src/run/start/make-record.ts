import type { PlanInputs } from "../plan/draft.ts";
import { encodePlan } from "../plan/encode.ts";
import type { Plan } from "../plan/plan.ts";
import { hostRange } from "../plan/sections/identity.ts";
import { verdictOf } from "../report/verdict.ts";
import { projectResult } from "../result/project.ts";
import { collectedFiles } from "./collected.ts";
import type { Consultation } from "./consulted.ts";
import { startLimits } from "./contract.ts";
import { type CutPlan, cutPlan } from "./cut-plan.ts";
import type { EndedStart } from "./ended-start.ts";
import { fillPlan, fillTemplate, holeValues } from "./fill.ts";
import { encodeRecord, type StartRecord } from "./record.ts";
import { recordsOfEachRun } from "./reported.ts";
import { type ResultTemplate, resultTemplate } from "./template.ts";

/** What a file may have to be compared at each start. */
const readBytes = 64 << 10;

/**
 * The record of a start, or undefined where it would not give back this very run, and the planner's plan of another one with the same
 * options: then something is in it that nobody foresaw.
 */
export async function makeRecord(
  start: EndedStart,
  host: Pick<StartRecord, "build" | "identity" | "variables">,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { report, consulted, options } = start;
  if (!consulted.isComplete || consulted.all.some(isTooMuch)) return undefined;
  const plan = await cutSafely(start);
  const [succeeded, failed] = [true, false].map((good) => safeTemplate(start, good));
  if (plan === undefined || succeeded === undefined || failed === undefined) return undefined;
  const record = encodeRecord({
    ...host,
    options,
    consulted: consulted.all,
    plan,
    reported: recordsOfEachRun(report),
    collected: collectedFiles(report),
    succeeded,
    failed,
  });
  return record.length > startLimits.recordBytes ? undefined : record;
}

function isTooMuch(asked: Consultation): boolean {
  return asked.kind === "read" && typeof asked.outcome !== "number" && asked.outcome.length > readBytes;
}

/** The plan cut, if put together again it is what the launcher got, and what the planner makes for another zone and command. */
async function cutSafely({ inputs, report, entrypoint, plan: planner }: EndedStart): Promise<CutPlan | undefined> {
  const { request } = inputs;
  const encoded = encoding(report.plan);
  const cut = cutPlan(encoded, { ...request, firstId: firstIdOf(inputs) }, entrypoint);
  if (cut === undefined) return undefined;
  const own = fillPlan(cut, request.zoneId, firstIdOf(inputs), request.command.slice(entrypoint));
  const other = { ...inputs, request: { ...request, ...otherNames(request.command.slice(0, entrypoint)) } };
  const planned = await planner(other);
  if (!planned.ok) return undefined;
  const filled = fillPlan(cut, other.request.zoneId, firstIdOf(other), otherCommand);
  return same(own, encoded) && same(filled, encoding(planned.plan)) ? cut : undefined;
}

const otherCommand = ["an", "other command", ""];

/** As long as a zone's own, and unlike any. */
function otherNames(entrypoint: readonly string[]) {
  const digits = "f".repeat(20);
  return {
    taskId: `task_${digits}`,
    zoneId: `zone_${digits}`,
    command: [...entrypoint, ...otherCommand],
    commandHash: `sha256:${"f".repeat(64)}`,
  };
}

/** The first host id of a zone that has a range of its own. */
function firstIdOf({ request, facts }: PlanInputs): number | undefined {
  return facts.privileged ? hostRange(request.zoneId).base : undefined;
}

function encoding({ ops, pieces }: Plan): Uint8Array {
  return encodePlan(
    ops.map(({ op }) => op),
    pieces,
  );
}

/** The template, if filled with this run's values it is this run's result, as it is or with an exit code of the template's kind. */
function safeTemplate({ report, result, entrypoint }: EndedStart, succeeded: boolean): ResultTemplate | undefined {
  const template = resultTemplate(report, entrypoint, succeeded);
  const { ended } = report;
  if (template === undefined || ended === null) return undefined;
  const isOwn = (ended.status === 0) === succeeded;
  const meant = isOwn ? report : { ...report, ended: { ...ended, status: succeeded ? 0 : 3 << 8 } };
  const filled = fillTemplate(template, holeValues(meant, entrypoint));
  const text = `${JSON.stringify(isOwn ? result : projectResult(meant, verdictOf(meant)))}\n`;
  return same(filled, new TextEncoder().encode(text)) ? template : undefined;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
