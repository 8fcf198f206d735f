/**
 * What pulls under way need. A pull writes down the digests of its image before it looks for them in the store, so that a prune at
 * the same time leaves them alone, although no entry of the index names them yet.
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { isDigest } from "../digest.ts";
import type { ImageStore } from "../types.ts";
import { type HeldLock, takeLock, tryLock } from "./file-lock.ts";
import { errnoOf, workPaths, writeAll } from "./layout.ts";

/** Holds some digests until it is released. Under the index lock. */
export async function openLease(store: ImageStore, digests: readonly string[]): Promise<{ release(): void }> {
  const path = `${workPaths(store.root).leases}/${crypto.randomUUID()}`;
  const lock: HeldLock = await takeLock(store.host, path);
  writeAll(lock.fd, new TextEncoder().encode(`${digests.join("\n")}\n`));
  return { release: () => lock.remove() };
}

/** The digests that living pulls need; what dead ones left is removed. Under the index lock. */
export async function leasedDigests(store: ImageStore): Promise<Set<string>> {
  const needed = new Set<string>();
  const folder = workPaths(store.root).leases;
  for (const name of namesIn(folder)) {
    const path = `${folder}/${name}`;
    const lock = await tryLock(store.host, path);
    if (lock !== undefined) lock.remove();
    else for (const line of readLines(path)) if (isDigest(line)) needed.add(line);
  }
  return needed;
}

/** Removes what dead pulls left. Under the index lock. */
export async function sweepLeases(store: ImageStore): Promise<void> {
  await leasedDigests(store);
}

/** Names in a folder; none when it isn't there. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch (error) {
    // Released between our looking and reading: it needs nothing any more.
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** Removes files of `replaceFile` that a kill left. Under the index lock, so none is under way. */
export function sweepTemporaries(root: string): void {
  for (const name of namesIn(root)) {
    if (/^(index\.json|oci-layout)\.new-/.test(name)) rmSync(`${root}/${name}`, { force: true });
  }
}
