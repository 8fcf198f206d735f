import type { IdLine } from "../../run/ids/zone-ids.ts";
import { control, type ReportRecord, stages } from "../../run/plan/contract.ts";
import type { Plan } from "../../run/plan/plan.ts";

/** A directory service that does not answer must not hold up a zone for ever. */
const helperMs = 60_000;

/**
 * The zone waits for the maps that the launcher may not write: newuidmap and newgidmap write them, and the zone goes on; or it ends, and
 * what is returned says why.
 */
export function hearIds(
  record: Extract<ReportRecord, { record: "ids" }>,
  say: (word: number) => void,
  plan: Plan,
): ReportRecord {
  const index = plan.ops.findIndex(({ op }) => op.op === "id_helpers");
  const helpers = plan.ops[index]?.op;
  if (helpers?.op !== "id_helpers") return record;
  const lines = (kind: "uid_map" | "gid_map") => plan.ops.flatMap(({ op }) => (op.op === kind ? [op] : []));
  for (const [name, path, map] of [
    ["newgidmap", helpers.newgidmap, lines("gid_map")],
    ["newuidmap", helpers.newuidmap, lines("uid_map")],
  ] as const) {
    const detail = runHelper(path, record.pid, map);
    if (detail === undefined) continue;
    say(control.kill);
    return { record: "failed", stage: stages.indexOf("idmap"), op: index, errno: 0, step: name, detail };
  }
  say(control.go);
  return record;
}

/** Undefined when it did its work, else why not. Its environment is empty: it is a program with privileges. */
function runHelper(path: string, pid: number, lines: readonly IdLine[]): string | undefined {
  const words = lines.flatMap(({ inside, outside, count }) => [inside, outside, count].map(String));
  try {
    const { exitCode, signalCode, stderr } = Bun.spawnSync([path, String(pid), ...words], {
      env: {},
      stdio: ["ignore", "ignore", "pipe"],
      timeout: helperMs,
    });
    if (exitCode === 0) return undefined;
    const said = stderr.toString().trim().slice(0, 1000);
    return said === "" ? `${path} ended with ${signalCode ?? `exit code ${exitCode}`}` : said;
  } catch (error) {
    return `${path} can't be started: ${error instanceof Error ? error.message : String(error)}`;
  }
}
