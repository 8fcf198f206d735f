/** The unpacking program without its zone. */
import type { UnpackLimits } from "../../src/image/unpack/limits.ts";
import { type UnpackSummary, unpackArchive } from "../../src/image/unpack/unpack.ts";
import { layerFs } from "../../src/linux/unpack/layer-fs.ts";
import { makeFolder } from "../support/folders.ts";
import type { TarPart } from "./tar-builder.ts";

export const unpackLimits: UnpackLimits = { fileBytes: 2 ** 36, entries: 2_000_000 };

export interface Unpacked {
  readonly tree: string;
  readonly summary: UnpackSummary;
}

/** Unpacks into a new folder, the bytes coming in pieces of this length. */
export function unpack(
  archive: Uint8Array,
  limits: UnpackLimits = unpackLimits,
  step = 1 << 16,
  owners = false,
): Unpacked {
  const tree = makeFolder("layer");
  let at = 0;
  const source = (into: Uint8Array): number => {
    const piece = archive.subarray(at, at + Math.min(step, into.length));
    into.set(piece);
    at += piece.length;
    return piece.length;
  };
  const root = layerFs.root(tree);
  try {
    return { tree, summary: unpackArchive(source, layerFs, root, { limits, owners }) };
  } finally {
    layerFs.close(root);
  }
}

export function attributesOf(path: string): Record<string, string> {
  const dir = layerFs.root(path);
  const found = layerFs.attributes(dir, "", () => true);
  layerFs.close(dir);
  return Object.fromEntries([...found].map(([key, value]) => [key, Buffer.from(value).toString("latin1")]));
}

export const dir = (name: string, more: Partial<TarPart> = {}): TarPart => ({ name, type: "5", mode: 0o755, ...more });
export const file = (name: string, content = "", more: Partial<TarPart> = {}): TarPart => ({ name, content, ...more });
