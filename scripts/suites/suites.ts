/** The suites in the order they run, and who runs each. */

/** Who runs a suite: root, an ordinary user, root inside the rig's VM, or simply whoever started the run. */
export type RunAs = "root" | "user" | "vm";

export interface Suite {
  readonly name: string;
  /** Touches what privilege decides: runs as root and as an ordinary user. */
  readonly privilegeSensitive: boolean;
  /** Runs inside the rig's VM, through scripts/rig.ts. */
  readonly inVm: boolean;
}

const plain = { privilegeSensitive: false, inVm: false };
const twice = { privilegeSensitive: true, inVm: false };

export const SUITES: readonly Suite[] = [
  { name: "unit", ...plain },
  { name: "golden", ...plain },
  { name: "contract", ...twice },
  { name: "zone", ...twice },
  { name: "escape", ...twice },
  { name: "fuzz", ...plain },
  { name: "kernel", privilegeSensitive: false, inVm: true },
];

export interface SuiteRun {
  readonly suite: string;
  readonly as: RunAs;
}

/** The runs that these wishes come to. Root can become a user; a user can't become root. */
export function planRuns(options: {
  readonly isRoot: boolean;
  readonly only: readonly string[];
  readonly as: RunAs | undefined;
}): SuiteRun[] {
  const { isRoot, only, as } = options;
  const unknown = only.filter((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown.length > 0)
    throw new Error(`no suite named ${unknown.join(", ")}: ${SUITES.map((s) => s.name).join(", ")}`);
  if (as === "root" && !isRoot) throw new Error("--as root needs root");
  const self: RunAs = isRoot ? "root" : "user";
  return SUITES.filter(({ name }) => only.length === 0 || only.includes(name))
    .flatMap(({ name, privilegeSensitive, inVm }): SuiteRun[] => {
      if (inVm) return [{ suite: name, as: "vm" }];
      if (!privilegeSensitive) return [{ suite: name, as: self }];
      return isRoot
        ? [
            { suite: name, as: "root" },
            { suite: name, as: "user" },
          ]
        : [{ suite: name, as: "user" }];
    })
    .filter((run) => as === undefined || run.as === as);
}
