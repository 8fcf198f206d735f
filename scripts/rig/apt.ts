/**
 * Asks apt for a package's facts and its file. Apt has checked the signature of the lists that the checksums come from; the file
 * is compared with its checksum again here, since it stays in a cache.
 *
 * An ordinary user can't run `apt-get update`. Where the system's lists are missing or name a file that has left the mirror,
 * the rig updates lists of its own in the cache; apt needs no privilege for that.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot } from "./cache.ts";
import { lastLines, run, tryRun } from "./process.ts";
import { RigError } from "./rig-error.ts";

export interface AptPackage {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly depends: readonly string[];
}

/** Which lists apt looks at: the system's, or the rig's own. */
export type AptLists = "system" | "own";

function options(lists: AptLists): string[] {
  // "root" here means: fetch as whoever we are. The default, the user _apt, can't write to the rig's cache.
  const common = ["-q", "-o", "APT::Sandbox::User=root"];
  if (lists === "system") return common;
  const root = join(cacheRoot(), "apt");
  mkdirSync(join(root, "lists", "partial"), { recursive: true });
  mkdirSync(join(root, "cache", "archives", "partial"), { recursive: true });
  return [...common, "-o", `Dir::State::lists=${root}/lists`, "-o", `Dir::Cache=${root}/cache`];
}

/** Reads one record of `apt-cache show`. Alternatives (`a | b`) and version bounds are dropped: the first name counts. */
export function parseAptRecord(text: string): AptPackage | null {
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
  const name = field("Package");
  const version = field("Version");
  const sha256 = field("SHA256");
  if (name === "" || version === "") return null;
  const depends = field("Depends")
    .split(",")
    .map((item) => item.split("|")[0]?.replace(/\(.*$/, "").trim() ?? "")
    .filter((item) => item !== "");
  return { name, version, sha256, depends };
}

export async function aptShow(name: string, lists: AptLists): Promise<AptPackage | null> {
  const output = await tryRun(["apt-cache", ...options(lists), "show", "--no-all-versions", name]);
  return output.ok ? parseAptRecord(output.stdout) : null;
}

/** Updates the rig's own lists; false when no package server answers. */
export async function aptUpdateOwnLists(): Promise<boolean> {
  return (await tryRun(["apt-get", ...options("own"), "update"])).ok;
}

/** Fetches the package into `folder`; the path of the file. */
export async function aptDownload(wanted: AptPackage, folder: string, lists: AptLists): Promise<string> {
  const output = await tryRun(["apt-get", ...options(lists), "download", `${wanted.name}=${wanted.version}`], {
    cwd: folder,
  });
  if (!output.ok) throw new RigError(`apt-get could not fetch ${wanted.name}`, lastLines(output.stderr, 10));
  const files = (await Array.fromAsync(new Bun.Glob(`${wanted.name}_*.deb`).scan(folder))).sort();
  const file = files[0];
  if (file === undefined) throw new RigError(`apt-get fetched no file for ${wanted.name}`);
  const path = join(folder, file);
  const [sum] = (await run(["sha256sum", path])).split(" ");
  if (wanted.sha256 === "" || sum !== wanted.sha256) {
    throw new RigError(`${file} has the checksum ${sum}, apt's lists say ${wanted.sha256 || "nothing"}`);
  }
  return path;
}
