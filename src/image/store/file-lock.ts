/**
 * Locks of files by flock(2), without waiting in the kernel: downloads of other layers go on meanwhile. A lock ends with its process,
 * so what lies about with a free lock was left by one that was killed.
 */
import { closeSync, fstatSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { StoreHost } from "../types.ts";
import { errnoOf } from "./layout.ts";

/** A lock by flock(2), and the file that it is on. */
export interface HeldLock {
  readonly path: string;
  readonly fd: number;
  /** Lets go, and leaves the file. */
  release(): void;
  /** Removes the file, then lets go: whoever waits for it notices, and makes another. */
  remove(): void;
}

/** Takes a lock, or gives undefined when another process (or another part of this one) holds it. The file is made when missing. */
export async function tryLock(host: StoreHost, path: string): Promise<HeldLock | undefined> {
  const { lock } = await host.trees();
  for (;;) {
    const fd = openLockFile(path);
    let held = false;
    try {
      held = lock(fd);
      // The file may have been removed by who held it between our opening and locking: then this lock guards nothing.
      if (held && isStill(path, fd)) return heldLock(path, fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    if (!held) return undefined;
  }
}

/** Takes a lock, however long that takes. `waiting` is called once when it is not free at once. */
export async function takeLock(host: StoreHost, path: string, waiting?: () => void): Promise<HeldLock> {
  for (let pauseMs = 2; ; pauseMs = Math.min(100, pauseMs * 2)) {
    const held = await tryLock(host, path);
    if (held !== undefined) return held;
    if (pauseMs === 2) waiting?.();
    await Bun.sleep(pauseMs);
  }
}

/** Runs work under a lock. */
export async function withLock<T>(host: StoreHost, path: string, work: () => T | Promise<T>): Promise<T> {
  const held = await takeLock(host, path);
  try {
    return await work();
  } finally {
    held.release();
  }
}

function openLockFile(path: string): number {
  try {
    return openSync(path, "a+", 0o600);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, "a+", 0o600);
  }
}

function isStill(path: string, fd: number): boolean {
  const named = statSync(path, { bigint: true, throwIfNoEntry: false });
  return named !== undefined && named.ino === fstatSync(fd, { bigint: true }).ino;
}

function heldLock(path: string, fd: number): HeldLock {
  return {
    path,
    fd,
    release: () => closeSync(fd),
    remove: () => {
      rmSync(path, { force: true });
      closeSync(fd);
    },
  };
}
