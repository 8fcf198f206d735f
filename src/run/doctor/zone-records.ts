import type { Finding, HostInputs } from "./finding.ts";

/** Where zones are written down so that others find them. Nothing that guards a zone depends on it. */
export function checkZoneRecords({ records }: HostInputs): Finding[] {
  if (records === undefined) return [];
  const common = { check: "zone_records", needed: false } as const;
  if ("problem" in records) {
    const fix = records.problem.startsWith("XDG_RUNTIME_DIR") ? 'export XDG_RUNTIME_DIR="$(mktemp -d)"' : null;
    const summary = `zones leave no record that others find: ${records.problem}`;
    return [{ ...common, state: "unavailable", summary, fix }];
  }
  const { living, place } = records;
  const summary = `zones that last are recorded in ${place}; ${living === 1 ? "one lives" : `${living} live`} now`;
  return [{ ...common, state: "enforced", summary, fix: null }];
}
