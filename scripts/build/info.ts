/** What a built rauha says of itself with --version: its version, the commit it was built from, the hash of its launcher. */
import { readFileSync } from "node:fs";
import { writeWhole } from "./stamp.ts";

export interface BuildInfo {
  readonly version: string;
  /** The commit's first 12 digits, `+changes` behind it when the sources differ from that commit; `unknown` without git. */
  readonly commit: string;
  readonly launcherSha256: string;
}

/** Writes build/build-info.json, which the program imports. */
export async function writeBuildInfo(launcherSha256: string): Promise<BuildInfo> {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  const info: BuildInfo = { version, commit: process.env["RAUHA_COMMIT"] ?? commitOf(), launcherSha256 };
  writeWhole("build/build-info.json", `${JSON.stringify(info, null, 2)}\n`);
  return info;
}

function commitOf(): string {
  const commit = git("rev-parse", "--short=12", "HEAD");
  if (!commit) return "unknown";
  const changes = git(
    "status",
    "--porcelain",
    "--",
    "src",
    "native",
    "policies",
    "scripts",
    "package.json",
    "bun.lock",
  );
  return changes ? `${commit}+changes` : commit;
}

/** Git's answer, or "" where there is no git or no repository. A clone that belongs to someone else is fine to ask. */
function git(...words: string[]): string {
  if (!Bun.which("git")) return "";
  const { exitCode, stdout } = Bun.spawnSync(["git", "-c", "safe.directory=*", ...words], { stderr: "ignore" });
  return exitCode === 0 ? stdout.toString().trim() : "";
}
