import type { Diagnostic } from "../../run/diagnostic.ts";
import { lsmGaps } from "../../run/doctor/bpf-lsm.ts";
import type { LsmOutcome, LsmSetup } from "../../run/lsm.ts";
import { openLog } from "../log.ts";
import type { Ports } from "../ports.ts";
import { answerJson, refuse } from "./answer.ts";
import { command } from "./command.ts";

const host = { kind: "host", what: "BPF-LSM" } as const;

/** `rauha setup [--remove]`: loads, tries and pins the BPF programs, or takes them away. Root's; the same again changes nothing. */
export const setup = command(async ({ given, json, ports }) => {
  const backend = await ports.backend();
  const lsm = await backend.lsmSetup();
  const removing = given.one("remove") === true;
  const problems = removing ? removeProblems(lsm) : loadProblems(lsm, backend.probe());
  if (problems.length > 0) return refuse(ports, problems, json);
  const outcome = removing ? lsm.remove() : lsm.load();
  if (!outcome.ok) return refuse(ports, [failure(outcome)], json);
  return conclude(ports, lsm, outcome, json);
});

function loadProblems(lsm: LsmSetup, facts: Parameters<typeof lsmGaps>[0]["facts"]): Diagnostic[] {
  return lsmGaps({ facts }, lsm.readiness()).map(({ what, fix }) => ({
    code: "unenforceable",
    message: `the BPF programs can't be loaded: ${what}`,
    origin: host,
    ...(fix === null ? {} : { hint: fix }),
  }));
}

/** What guards a zone that lives is not taken away from under it. */
function removeProblems(lsm: LsmSetup): Diagnostic[] {
  if (process.geteuid?.() !== 0)
    return [{ code: "unenforceable", message: "only root can take the BPF programs away", origin: host }];
  const live = lsm.state()?.zones ?? [];
  if (live.length === 0) return [];
  const names = live.slice(0, 5).map(({ name }) => name);
  const message = `${live.length} ${live.length === 1 ? "zone is" : "zones are"} guarded by the BPF programs: ${names.join(", ")}${live.length > 5 ? ", …" : ""}`;
  return [{ code: "unenforceable", message, origin: host, hint: "let them end first" }];
}

function failure(outcome: Extract<LsmOutcome, { ok: false }>): Diagnostic {
  const { failed, errno, log } = outcome;
  const said = log.trim() === "" ? "" : `; the kernel said: ${log.trim().split("\n").slice(-4).join(" / ")}`;
  const message = `the BPF programs were not set up: ${failed}: ${errno}${said}`;
  return {
    code: "unenforceable",
    message,
    origin: host,
    hint: "nothing was changed; `rauha doctor` says what the host lacks",
  };
}

const words = {
  loaded: "are loaded, tried and pinned",
  upgraded: "are upgraded: the new ones were attached before the old ones went",
  none: "are pinned already, and passed the self-test again",
  removed: "are removed",
  tried: "can be attached",
} as const;

function conclude(ports: Ports, lsm: LsmSetup, outcome: Extract<LsmOutcome, { ok: true }>, json: boolean): number {
  const { change, programs } = outcome;
  if (json) return answerJson(ports, { schema: "rauha.setup/v1", change, programs, state: lsm.state() });
  const count = change === "removed" ? "" : ` (${programs})`;
  openLog(ports).success(`the BPF programs${count} ${words[change]}`);
  return 0;
}
