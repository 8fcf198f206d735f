/** What is left of pulls that were killed. A free lock says that nobody is at work on it any more. */
import { rmSync, statSync } from "node:fs";
import type { ImageStore } from "../types.ts";
import { partialSuffix } from "./blob-file.ts";
import { tryLock } from "./file-lock.ts";
import { workPaths } from "./layout.ts";
import { namesIn } from "./lease.ts";

/**
 * Removes half blobs that nobody works on, except those that the caller is about to take up; the bytes that they had. Names are as
 * `lockPath` makes them.
 */
export async function sweepPartials(store: ImageStore, except: ReadonlySet<string> = new Set()): Promise<number> {
  const folder = workPaths(store.root).blobs;
  const names = new Set(namesIn(folder).map((name) => name.replace(/\.partial$/, "")));
  let bytes = 0;
  for (const name of names) {
    const path = `${folder}/${name}`;
    if (except.has(path)) continue;
    const lock = await tryLock(store.host, path);
    if (lock === undefined) continue;
    const partial = `${path}${partialSuffix}`;
    bytes += statSync(partial, { throwIfNoEntry: false })?.size ?? 0;
    rmSync(partial, { force: true });
    lock.remove();
  }
  return bytes;
}
