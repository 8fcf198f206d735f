import type { Backend } from "../../run/backend.ts";
import { checkHost, isEnforceable } from "../../run/doctor/check-host.ts";
import type { Finding, ZoneRecords } from "../../run/doctor/finding.ts";
import { type HostSettings, settingPaths } from "../../run/doctor/settings.ts";
import type { HostFacts } from "../../run/host-facts.ts";
import type { OpenZoneRegistry } from "../../run/zone-registry.ts";
import { helpWidth, wrap } from "../help/layout.ts";
import { openLog } from "../log.ts";
import { oneLine, paint, styleFor, type WordStyle } from "../words.ts";
import { answer, answerJson } from "./answer.ts";
import { command } from "./command.ts";
import { tryIds, tryZone } from "./doctor-trial.ts";

/** `rauha doctor`: what this host can enforce, what is missing, how to fix it. Exits 0 when the policy `task` can be enforced, else 1. */
export const doctor = command(async ({ json, ports }) => {
  const backend = await ports.backend();
  const facts = backend.probe();
  const lsm = facts.bpfLsm.ok ? null : (await backend.lsmSetup()).readiness();
  const trial = await tryZone(backend, facts);
  const ids = facts.privileged ? undefined : await tryIds(backend, facts);
  const records = readRecords((await backend.zones())());
  const findings = checkHost({ facts, settings: readSettings(backend), trial, lsm, ids, records });
  const enforceable = isEnforceable(findings);
  if (json) answerJson(ports, doctorData(facts, findings, enforceable));
  else {
    answer(ports, renderFindings(facts, findings, styleFor(ports.isTerminal(1), ports.env)));
    const log = openLog(ports);
    if (enforceable) log.success("this host can enforce the policy task");
    else log.fail("this host can't enforce the policy task; what stands in the way is marked missing");
  }
  return enforceable ? 0 : 1;
});

/** Counts the living zones, and takes away what killed runs left of records. */
function readRecords(registry: ReturnType<OpenZoneRegistry>): ZoneRecords {
  if ("problem" in registry) return registry;
  registry.sweep();
  const living = registry.list().length;
  registry.close();
  return { place: registry.place, living };
}

/** Files of /proc and /sys; the largest is /proc/self/status. */
const settingBytes = 16_384;

function readSettings({ io }: Backend): HostSettings {
  const entries = settingPaths.map((path) => {
    const read = io.readText(path, settingBytes);
    return [path, "text" in read ? read.text.trim() : null] as const;
  });
  return Object.fromEntries(entries) as HostSettings;
}

function doctorData(facts: HostFacts, findings: readonly Finding[], enforceable: boolean): unknown {
  const { platform, kernel, uid, privileged } = facts;
  return { schema: "rauha.doctor/v1", enforceable, host: { platform, kernel, uid, privileged }, findings };
}

const marks = {
  enforced: ["ok", "32"],
  fallback: ["fallback", "33"],
  absent: ["absent", "33"],
  missing: ["missing", "31"],
} as const;

const textColumn = 28;

/** A line for each finding, wrapped, with the fix below it as a line that can be copied whole. */
export function renderFindings(facts: HostFacts, findings: readonly Finding[], style: WordStyle): string {
  const who = facts.privileged ? "root" : `ordinary user ${facts.uid}`;
  const lines = [`${facts.platform} ${oneLine(facts.kernel)}, as ${who}`, ""];
  for (const { check, state, needed, summary, fix } of findings) {
    const [mark, colour] = marks[state === "unavailable" ? (needed ? "missing" : "absent") : state];
    const [first = "", ...rest] = wrap(oneLine(summary), helpWidth - textColumn);
    lines.push(
      `${paint(mark.padEnd(9), colour, style)} ${check.replaceAll("_", " ").padEnd(textColumn - 11)} ${first}`,
    );
    lines.push(...rest.map((line) => " ".repeat(textColumn) + line));
    if (fix !== null) lines.push(`${" ".repeat(10)}${paint("fix:", "36", style)} ${fix}`);
  }
  return `${lines.join("\n")}\n`;
}
