/** The suites in the order they run, and who runs each. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Who runs a suite: root, an ordinary user, root inside the rig's VM, or simply whoever started the run. */
export type RunAs = "root" | "user" | "vm";

export interface Suite {
  readonly name: string;
  /** Touches what privilege decides: runs as root and as an ordinary user. */
  readonly privilegeSensitive: boolean;
  /** Runs inside the rig's VM, through scripts/rig.ts. */
  readonly inVm: boolean;
  /** Where its tests are; the static checks are a suite without a folder: each of them counts as a test. */
  readonly folder: string | null;
}

const suite = (name: string, more: Partial<Suite> = {}): Suite => ({
  name,
  privilegeSensitive: false,
  inVm: false,
  folder: name,
  ...more,
});

export const SUITES: readonly Suite[] = [
  suite("check", { folder: null }),
  suite("unit"),
  suite("golden"),
  suite("native", { privilegeSensitive: true }),
  suite("image", { privilegeSensitive: true }),
  suite("contract", { privilegeSensitive: true }),
  suite("zone", { privilegeSensitive: true }),
  suite("escape", { privilegeSensitive: true }),
  suite("network", { privilegeSensitive: true }),
  suite("fuzz"),
  suite("kernel", { inVm: true }),
];

/**
 * What keeps `make test` from being all of the tests: a folder under test/ with tests that no suite runs, a suite without a folder, or a
 * test file beside the folders. Each in a sentence; none when all is well.
 */
export function strayTests(folder: string): string[] {
  const files = [...new Bun.Glob("**/*.test.{ts,tsx,js}").scanSync(folder)].sort();
  const names = [...new Set(files.map((file) => (file.includes("/") ? file.slice(0, file.indexOf("/")) : file)))];
  const known = SUITES.flatMap((one) => one.folder ?? []);
  return [
    ...names
      .filter((name) => !known.includes(name))
      .map((name) => `test/${name} holds tests and is no suite of scripts/suites/suites.ts`),
    ...known
      .filter((name) => !names.includes(name))
      .map(
        (name) => `test/${name} is a suite and ${existsSync(join(folder, name)) ? "holds no test" : "does not exist"}`,
      ),
  ];
}

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
  const unknown = only.filter((name) => !SUITES.some((one) => one.name === name));
  if (unknown.length > 0)
    throw new Error(`no suite named ${unknown.join(", ")}: ${SUITES.map((one) => one.name).join(", ")}`);
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
