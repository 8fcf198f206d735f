/**
 * What is run in the guest: the suites that need a real kernel, once as root and once as the ordinary user in its delegated cgroup.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Folders of the suites that run in the guest. One that does not exist yet is no error; one without a test is. */
export const SUITES = ["test/zone", "test/escape", "test/contract", "test/kernel"] as const;
export const IDENTITIES = ["root", "user"] as const;
export type Identity = (typeof IDENTITIES)[number];

/** Bun's own limit of 5 s for a test is meant for a processor of silicon. A test that sets its own keeps it. */
const TEST_TIMEOUT_MS = 120_000;
/** Where the guest's tests leave their reports. */
const RESULTS = "/run/rig/results";

export interface SuiteSelection {
  /** Test files of the checkout, relative to it. */
  readonly files: readonly string[];
  readonly identities: readonly Identity[];
  /** Only tests whose name matches this regular expression. */
  readonly namePattern: string | null;
}

/** The test files of the suites whose path contains one of the filters (all, without a filter), sorted. */
export async function findTestFiles(checkout: string, filters: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const suite of SUITES) {
    if (!existsSync(join(checkout, suite))) continue;
    for await (const file of new Bun.Glob("**/*.test.ts").scan(join(checkout, suite))) files.push(`${suite}/${file}`);
  }
  return files.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter))).sort();
}

/** Quotes a word for the shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The guest's job for a selection. Each file is a process of its own: a crash or a hang costs that file's results and no other's, and what
 * a test leaves behind is ended before the next one starts.
 */
export function suiteJob(selection: SuiteSelection): string {
  const name = selection.namePattern === null ? [] : ["-t", selection.namePattern];
  const verbose = process.env["RAUHA_TEST_VERBOSE"] === "1" ? [] : ["--only-failures"];
  const lines = ["cd /opt/rauha || exit 99", "failed=0"];
  for (const identity of selection.identities) {
    for (const file of selection.files) {
      const argv = ["as-rig", identity, "bun", "test", "--timeout", String(TEST_TIMEOUT_MS), ...verbose, ...name];
      const report = reportName(identity, file);
      lines.push(
        `echo ${quote(`== as=vm-${identity} ${file}`)} >&2`,
        `${[...argv, "--reporter=junit", `--reporter-outfile=${RESULTS}/${report}`, `./${file}`].map(quote).join(" ")} 4>&- || failed=1`,
        `/usr/lib/rauha-rig/end-session ${identity}`,
        `[ ! -e ${RESULTS}/${report} ] || tar -C ${RESULTS} -cf - ${report} >&4`,
      );
    }
  }
  lines.push("exit $failed");
  return `${lines.join("\n")}\n`;
}

/** The name of the report of one file under one identity, in the results. */
export function reportName(identity: Identity, file: string): string {
  return `${identity}__${file.replaceAll("/", "__")}.xml`;
}
