/**
 * The rig's cache: ${RAUHA_CACHE_DIR:-${XDG_CACHE_HOME:-~/.cache}/rauha}/rig, outside every checkout, since a kernel and a userland are the same for
 * all of them. Whatever is in it was complete when it got its name: entries are made under a temporary name and renamed, so
 * that two rigs at once, or one that was killed, leave nothing half-made behind.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Entries of one kind that are kept; an older one is removed when a new one is made. */
const KEPT_PER_KIND = 3;
/** A temporary entry older than this belongs to a rig that was killed. */
const STALE_MS = 60 * 60 * 1000;

export function cacheRoot(): string {
  const home = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const root = join(process.env["RAUHA_CACHE_DIR"] || join(home, "rauha"), "rig");
  mkdirSync(root, { recursive: true });
  return root;
}

export interface CacheRequest {
  /** The folder of the cache: `kernel`, `base`, `checkout`, `initramfs`. */
  readonly kind: string;
  /** What the entry depends on, short enough for a file name. */
  readonly key: string;
  /** Makes the entry: writes it into the empty folder `work` as `work/entry` (a file or a folder). */
  readonly make: (work: string) => Promise<void>;
}

export interface CacheEntry {
  readonly path: string;
  readonly made: boolean;
}

/** The entry with this key, made when it is not there. */
export async function cached(request: CacheRequest): Promise<CacheEntry> {
  const folder = join(cacheRoot(), request.kind);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, request.key);
  if (existsSync(path)) {
    const now = new Date();
    utimesSync(path, now, now);
    return { path, made: false };
  }
  const work = mkdtempSync(join(folder, "tmp-"));
  try {
    await request.make(work);
    moveIntoPlace(join(work, "entry"), path);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  prune(folder, KEPT_PER_KIND, path);
  return { path, made: true };
}

/** A rig that ran at the same time may have made the same entry: either one is right. */
function moveIntoPlace(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

/**
 * Removes all but the newest entries. An image that a running guest uses may go: QEMU holds it open.
 */
export function prune(folder: string, keep: number, current: string): void {
  const entries = readdirSync(folder)
    .map((name) => ({ name, path: join(folder, name) }))
    .flatMap((entry) => {
      const stat = statSync(entry.path, { throwIfNoEntry: false });
      return stat === undefined ? [] : [{ ...entry, mtimeMs: stat.mtimeMs }];
    })
    .sort((a, b) => b.mtimeMs - a.mtimeMs);
  const finished = entries.filter((entry) => !entry.name.startsWith("tmp-") && entry.path !== current);
  const stale = entries.filter((entry) => entry.name.startsWith("tmp-") && Date.now() - entry.mtimeMs > STALE_MS);
  for (const entry of [...finished.slice(keep - 1), ...stale]) rmSync(entry.path, { recursive: true, force: true });
}
