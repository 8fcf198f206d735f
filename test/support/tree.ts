/** A folder's state in words: two fingerprints are equal when not a byte, a bit of a mode or a time stamp differs. */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** For each path below the folder: type, mode, owner, times and content. `.` is the folder itself. */
export function fingerprint(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries([".", ...names].map((name) => [name, describePath(join(folder, name))]));
}

function describePath(path: string): string {
  const { mode, uid, gid, size, mtimeMs, ctimeMs } = lstatSync(path);
  const facts = [mode.toString(8), `${uid}:${gid}`, String(mtimeMs), String(ctimeMs)];
  if ((mode & 0o170000) === 0o120000) return [...facts, readlinkSync(path)].join(" ");
  if ((mode & 0o170000) !== 0o100000) return facts.join(" ");
  return [...facts, size, createHash("sha256").update(readFileSync(path)).digest("hex")].join(" ");
}
