import { closeSync, mkdirSync, openSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Policy } from "../../run/policy/policy.ts";
import type { TreeFs } from "../../run/tree-fs.ts";
import { ImageError, refuse } from "../image-error.ts";
import { takeLock } from "../store/file-lock.ts";
import { refuseWrite, syncFolder } from "../store/layout.ts";
import type { ImageStore, LayerDescriptor } from "../types.ts";
import { deviceReason, ownerReason, pipeReason } from "../unpack/refusal.ts";
import type { UnpackReport } from "../unpack/report.ts";
import type { UnpackSummary } from "../unpack/unpack.ts";
import { openArchive } from "./decompress.ts";
import { refuseLayer } from "./layer-limits.ts";
import { type LayerSpace, layerSpace } from "./layer-space.ts";
import { noteMaps } from "./mapped-space.ts";
import { partialSuffix, removeWork, workFolder } from "./remove-work.ts";
import { setAside } from "./set-aside.ts";
import { layerPath, recordName, recordVersion, type StoredLayer, storedLayer, treeName } from "./stored-layer.ts";
import { sweepPartialLayers } from "./sweep-layers.ts";
import type { Unpack } from "./unpacker.ts";

/** How a layer is unpacked, and who hears of it. */
export interface UnpackLayerOptions {
  readonly unpack: Unpack;
  /** What it says in its section `image` holds. */
  readonly policy: Policy;
  /** Where the layer goes; default: where those without subordinate ids are. */
  readonly space?: LayerSpace | undefined;
  /** Another process is at it. */
  readonly waiting?: (() => void) | undefined;
}

/**
 * Unpacks a layer into the store, once: whoever comes while another process works on it waits for that. It gets its name when it is
 * whole, verified and on disk; whatever goes wrong before leaves nothing that counts, and the next call removes it.
 */
export async function unpackLayer(
  store: ImageStore,
  layer: LayerDescriptor,
  options: UnpackLayerOptions,
): Promise<StoredLayer> {
  const { host } = store;
  const { space = layerSpace(store.root) } = options;
  const target = layerPath(space, layer.diffId);
  const work = workFolder(space);
  makeFolders([space.folder, work, dirname(target)]);
  noteMaps(store, space);
  const fs = await host.trees();
  const name = layer.diffId.replace(":", "-");
  const lock = await takeLock(host, `${work}/${name}`, options.waiting);
  try {
    const there = storedLayer(space, layer.diffId, host);
    if (there !== undefined) return there;
    setAside(target, work, name);
    await sweepPartialLayers(store, space, fs, name);
    const partial = `${work}/${name}${partialSuffix}`;
    await removeWork(store, space, fs, `${name}${partialSuffix}`);
    makeFolders([partial, `${partial}/${treeName}`]);
    try {
      const summary = await fill(store, layer, `${partial}/${treeName}`, options);
      keep(fs, partial, target, summary);
      return { diffId: layer.diffId, path: target, tree: `${target}/${treeName}`, summary };
    } catch (error) {
      await removeWork(store, space, fs, `${name}${partialSuffix}`);
      throw error;
    }
  } finally {
    lock.remove();
  }
}

async function fill(
  store: ImageStore,
  layer: LayerDescriptor,
  tree: string,
  { unpack, policy, space }: UnpackLayerOptions,
): Promise<UnpackSummary> {
  const archive = openArchive(store.blobPath(layer.digest), layer, policy.image);
  const limits = { fileBytes: policy.image.layerSizeBytes, entries: policy.image.layerEntries };
  const report = await unpack(archive.bytes, tree, { limits, ids: space?.ids });
  const broken = archive.broken() ?? (report.ok ? undefined : report.limit);
  if (broken !== undefined) refuseLayer(policy, broken, `layer ${layer.digest}${place(report)}`);
  if (!report.ok) {
    const message = `layer ${layer.digest}: ${words(report)}`;
    if (space?.ids !== undefined && report.reason.includes(ownerReason)) refuse("unenforceable", message, moreIds);
    throw new ImageError([{ code: codeOf(report), message, hint: report.hint ?? hintOf(report) }]);
  }
  const found = archive.diffId();
  // Hashed here, not in the zone that unpacks: a layer that took that over can't pass itself off as another one.
  if (found !== layer.diffId) {
    const what = found ?? "not all of it was read";
    refuse(
      "digest_mismatch",
      `layer ${layer.digest}: its content has the digest ${what}, not ${layer.diffId} as the image says`,
    );
  }
  return { ...report.summary, archiveBytes: archive.size() };
}

function place(report: UnpackReport): string {
  return report.ok || report.entry === undefined ? "" : ` at ${JSON.stringify(readable(report.entry))}`;
}

/** The image is well; what the user may map is too short for it. */
const moreIds =
  "more ids in /etc/subuid and /etc/subgid: sudo usermod --add-subuids FIRST-LAST --add-subgids FIRST-LAST USER";

function codeOf(report: Extract<UnpackReport, { ok: false }>): "invalid_image" | "setup_failed" {
  return report.kind === "invalid" ? "invalid_image" : "setup_failed";
}

function words({ kind, entry, reason }: Extract<UnpackReport, { ok: false }>): string {
  if (kind === "failed") return `it can't be unpacked: ${readable(reason)}`;
  return entry === undefined
    ? `refused: ${readable(reason)}`
    : `refused at ${JSON.stringify(readable(entry))}: ${readable(reason)}`;
}

/** How to mend the images that are refused and meant no harm: trees of installers, packed as they are. */
function hintOf({ kind, reason }: Extract<UnpackReport, { ok: false }>): string | undefined {
  if (kind === "invalid" && reason.includes(ownerReason))
    return "pack the layer anew with other owners (tar --owner=0 --group=0), or run it as an ordinary user: his layers are all his";
  if (kind !== "invalid" || (reason !== deviceReason && reason !== pipeReason)) return undefined;
  const without = "pack the layer anew without it, for example: tar --exclude='./dev/*'";
  return reason === deviceReason ? `a zone has a /dev of its own, and images bring no devices: ${without}` : without;
}

/** A byte string for people. */
function readable(bytes: string): string {
  return new TextDecoder().decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
}

/** On disk first, named then. */
export function keep(fs: TreeFs, partial: string, target: string, summary: UnpackSummary): void {
  try {
    writeFileSync(`${partial}/${recordName}`, JSON.stringify({ version: recordVersion, ...summary }), { mode: 0o644 });
    const fd = openSync(partial, "r");
    try {
      fs.syncFileSystem(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(partial, target);
    syncFolder(dirname(target));
  } catch (error) {
    refuseWrite(target, error);
  }
}

/** Makes folders of the store with their parents; only the tree of a layer may be seen by others. Throws an ImageError. */
export function makeFolders(paths: readonly string[]): void {
  for (const path of paths) {
    try {
      mkdirSync(path, { recursive: true, mode: path.endsWith(`/${treeName}`) ? 0o755 : 0o700 });
    } catch (error) {
      refuseWrite(path, error);
    }
  }
}
