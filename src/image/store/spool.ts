/** Temporary files of the store: what has to be read twice and can't be. They end with their process. */
import { closeSync, openSync, rmSync } from "node:fs";
import type { ImageStore } from "../types.ts";
import { initStore, refuseWrite, workPaths, writeAll } from "./layout.ts";

/** Bytes that are needed once more, in a file that has no name and goes with the process. */
export interface Spool {
  /** For reading, too. */
  readonly fd: number;
  write(bytes: Uint8Array): void;
  close(): void;
}

/** Opens a file that has no name any more: a kill leaves nothing of it. */
export async function openSpool(store: ImageStore): Promise<Spool> {
  initStore(store.root);
  const path = `${workPaths(store.root).blobs}/spool-${crypto.randomUUID()}`;
  try {
    const fd = openSync(path, "wx+", 0o600);
    rmSync(path, { force: true });
    return {
      fd,
      write: (bytes) => {
        try {
          writeAll(fd, bytes);
        } catch (error) {
          refuseWrite(store.root, error);
        }
      },
      close: () => closeSync(fd),
    };
  } catch (error) {
    return refuseWrite(path, error);
  }
}
