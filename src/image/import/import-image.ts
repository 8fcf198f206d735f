/** Brings an image into the store from a file, a directory or standard input, whatever of the usual forms it has. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import type { Policy } from "../../run/policy/policy.ts";
import { refuse } from "../image-error.ts";
import { readReference } from "../reference.ts";
import { errnoOf } from "../store/layout.ts";
import type { ImageStore, Platform } from "../types.ts";
import { fileOf, importDocker } from "./import-docker.ts";
import { importLayout, type LayoutReader } from "./import-layout.ts";
import { importRootfs } from "./import-rootfs.ts";
import { type OpenArchive, openArchive } from "./open-archive.ts";
import type { Imported } from "./store-parts.ts";

/** What is known of an import besides the file. */
export interface ImportOptions {
  /** What it says of images holds. */
  readonly policy: Policy;
  /** The image's name; needed where what is imported doesn't say one. */
  readonly reference?: string | undefined;
  /** Of an index, this one; of a root file system, what it is for. Default: this machine's. */
  readonly platform?: Platform | undefined;
}

/** Imports what is at a path (`-` is standard input). Throws an ImageError; gives the images that are in the store now. */
export async function importImage(store: ImageStore, path: string, options: ImportOptions): Promise<Imported[]> {
  const reference = options.reference === undefined ? undefined : readReference(options.reference);
  if (reference?.digest !== undefined) {
    refuse("invalid_argument", "an import is named by a tag: its digest follows from its content", "write NAME:TAG");
  }
  const { platform, policy } = options;
  const wish = { reference: reference?.text, platform, policy };
  if (path !== "-" && isDirectory(path)) return importLayout(store, directoryReader(path), wish);
  const archive = await openArchive(store, path, policy);
  try {
    if (archive.kind === "docker") return await importDocker(store, archive, wish);
    if (archive.kind === "oci") return await importLayout(store, archiveReader(archive), wish);
    const name =
      reference?.text ?? refuse("usage", "a root file system has no name of its own", "rauha image import FILE REF");
    return await importRootfs(store, archive, { ...wish, reference: name });
  } finally {
    archive.close();
  }
}

function isDirectory(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? refuse("not_found", `there is no file ${path}`) : found.isDirectory();
}

function archiveReader(archive: OpenArchive): LayoutReader {
  return {
    bytes: (path) => {
      const { offset, size } = fileOf(archive, path);
      return archive.part(offset, size);
    },
  };
}

function directoryReader(root: string): LayoutReader {
  return {
    *bytes(path) {
      const fd = openPart(root, path);
      try {
        for (;;) {
          const buffer = new Uint8Array(1 << 18);
          const count = readSync(fd, buffer, 0, buffer.length, null);
          if (count === 0) return;
          yield buffer.subarray(0, count);
        }
      } finally {
        closeSync(fd);
      }
    },
  };
}

function openPart(root: string, path: string): number {
  try {
    return openSync(`${root}/${path}`, "r");
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    if (errno !== "ENOENT") refuse(errno === "EACCES" ? "permission" : "setup_failed", `${root}/${path}: ${errno}`);
    const message = `${root} is a directory without ${path}: it is no whole OCI image layout`;
    return refuse("invalid_image", message, "of a root file system: tar -C DIR -c . | rauha image import - REF");
  }
}
