/**
 * An ordinary user for tests that root starts: an uid without an account, with a home and a copy of the tree of its own, because
 * the checkout may lie where only root can look. Nothing is added to the system.
 */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface OrdinaryUser {
  readonly uid: number;
  readonly root: string;
  /** Where its runs leave their reports. */
  readonly reports: string;
  /** The copy of the repository that it owns. */
  readonly repository: string;
  readonly env: Readonly<Record<string, string>>;
  /** What stands before a command so that the user runs it. */
  readonly prefix: readonly string[];
}

type Paths = [home: string, run: string, reports: string, copy: string];

const LEFT_OUT = [".git", "coverage"];
const UNUSED_PACKAGES = ["@biomejs", "@typescript"];

/** Makes the user's home and its copy of the repository. */
export function openOrdinaryUser(repository: string): OrdinaryUser {
  const uid = Number(process.env["RAUHA_TEST_UID"] ?? 12321);
  const root = mkdtempSync(join(tmpdir(), "rauha-user-"));
  chmodSync(root, 0o755);
  const [home, run, reports, copy] = ["home", "run", "reports", "repository"].map((name) => join(root, name)) as Paths;
  for (const [folder, mode] of [
    [home, 0o700],
    [run, 0o700],
    [reports, 0o755],
    [copy, 0o755],
  ] as const) {
    mkdirSync(folder, { mode });
    chownSync(folder, uid, uid);
  }
  copyTree(repository, copy, uid);
  return {
    uid,
    root,
    reports,
    repository: copy,
    env: { HOME: home, XDG_RUNTIME_DIR: run, USER: "tester", LOGNAME: "tester", TMPDIR: tmpdir() },
    prefix: ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"],
  };
}

/** Takes everything away again. */
export function closeOrdinaryUser(user: OrdinaryUser): void {
  rmSync(user.root, { recursive: true, force: true });
}

/** Everything but what no test reads, owned by the user. */
function copyTree(from: string, to: string, uid: number): void {
  const entries = readdirSync(from).filter((name) => !LEFT_OUT.includes(name));
  command(["cp", "-a", "--reflink=auto", ...entries.map((name) => join(from, name)), to]);
  for (const heavy of UNUSED_PACKAGES) rmSync(join(to, "node_modules", heavy), { recursive: true, force: true });
  command(["chown", "-R", `${uid}:${uid}`, to]);
}

function command(words: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...words], { stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${words[0]} failed: ${stderr.toString().trim()}`);
}
