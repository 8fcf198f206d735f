/**
 * What is run in the guest: the suites that need a real kernel, once as root and once as the ordinary user in its delegated cgroup.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Folders of the suites that run in the guest. One that does not exist yet is no error; one without a test is. */
export const SUITES = ["test/zone", "test/escape", "test/contract", "test/kernel"] as const;
/** Who runs the tests: `pinned` is root once more, with the BPF programs set up. */
export const IDENTITIES = ["root", "user", "pinned"] as const;
export type Identity = (typeof IDENTITIES)[number];

/** Bun's own limit of 5 s for a test is meant for a processor of silicon. A test that sets its own keeps it. */
const TEST_TIMEOUT_MS = 120_000;
/** The guard around a file, for a runner that hangs itself. */
const FILE_TIMEOUT_SECONDS = 600;
/** Where the guest's tests leave their reports. */
const RESULTS = "/run/rig/results";

/** Tests that set the programs up themselves, or have nothing to do with zones. */
const NOT_PINNED = ["test/kernel/bpf/", "test/kernel/rig.test.ts"];

/** Not for the guest: who ends a remembered start is decided by time, of which an emulated processor takes too much. */
const NOT_EMULATED = "test/zone/remembered";

/** Tests that take long and of which the programs decide little: left out of a brief run. */
const LONG = ["test/zone/kill", "test/zone/limits", "test/zone/memory", "test/kernel/subordinate-ids"];

/** The files of a selection that are run as this one. */
export function filesFor(
  identity: Identity,
  { files, brief }: Pick<SuiteSelection, "files" | "brief">,
): readonly string[] {
  if (identity !== "pinned") return files;
  const out = brief ? [...NOT_PINNED, ...LONG] : NOT_PINNED;
  return files.filter((file) => !out.some((start) => file.startsWith(start)));
}

export interface SuiteSelection {
  /** Test files of the checkout, relative to it. */
  readonly files: readonly string[];
  readonly identities: readonly Identity[];
  /** Less is run with the programs set up. */
  readonly brief: boolean;
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
  const meant = files.filter((file) => !file.startsWith(NOT_EMULATED));
  return meant.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter))).sort();
}

/** Quotes a word for the shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The guest's job for a selection. Each file is a process of its own: a crash or a hang costs that file's results and no other's, and what
 * a test leaves behind is ended before the next one starts. Report and exit code are sent at once, on descriptor 4.
 */
export function suiteJob(selection: SuiteSelection): string {
  const verbose = process.env["RAUHA_TEST_VERBOSE"] === "1" ? [] : ["--only-failures"];
  // On an emulated processor time is short by chance: a test that fails is tried once more.
  const options = ["--timeout", String(TEST_TIMEOUT_MS), "--retry=1", "--reporter=junit", ...verbose];
  if (selection.namePattern !== null) options.push("-t", selection.namePattern);
  const runs = selection.identities.flatMap((identity) => {
    const files = filesFor(identity, selection).map((file) => fileRun(identity, file, options));
    // Without the programs these would be tests of something else: then there are none, and that is told of each file.
    return identity === "pinned" && files.length > 0
      ? ["as-rig root dist/rauha setup >&2 4>&- || exit 97", ...files]
      : files;
  });
  return `cd /opt/rauha || exit 99\n${runs.join("\n")}\n`;
}

function fileRun(identity: Identity, file: string, options: readonly string[]): string {
  const { report, code } = resultNames(identity, file);
  const guard = ["timeout", "--kill-after=10", String(FILE_TIMEOUT_SECONDS)];
  const runner = ["bun", "test", ...options, `--reporter-outfile=${RESULTS}/${report}`, `./${file}`];
  const argv = ["as-rig", identity, ...guard, ...runner];
  return `echo ${quote(`== as=vm-${identity} ${file}`)} >&2
${argv.map(quote).join(" ")} 4>&-
echo $? >${RESULTS}/${code}
/usr/lib/rauha-rig/end-session ${identity}
(cd ${RESULTS} && for f in ${report} ${code}; do [ ! -e $f ] || echo $f; done | tar -cf - -T - >&4)`;
}

/** The names under which the guest sends a file's report and its runner's exit code. */
export function resultNames(identity: Identity, file: string): { readonly report: string; readonly code: string } {
  const name = `${identity}__${file.replaceAll("/", "__")}`;
  return { report: `${name}.xml`, code: `${name}.code` };
}
