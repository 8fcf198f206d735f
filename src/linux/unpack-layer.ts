import type { UnpackLimits } from "../image/unpack/limits.ts";
import { LayerRefusal } from "../image/unpack/refusal.ts";
import { maximumImplied, type UnpackReport } from "../image/unpack/report.ts";
import { unpackArchive } from "../image/unpack/unpack.ts";
import { errnoName } from "../run/report/errno.ts";
import { TreeError } from "../run/tree-fs.ts";
import { errno, readFd, writeAll } from "./ffi.ts";
import { layerFs } from "./unpack/layer-fs.ts";
import { unpackTarget } from "./unpack/zone-plan.ts";

/**
 * `rauha unpack-layer OWNERS LIMITS`: what runs inside the zone that a layer is unpacked in. The archive comes on stdin, out of its
 * compression; one line of JSON goes to stdout. Not for people.
 */
export function unpackCommand(argv: readonly string[]): number {
  const [owners, limits] = argv;
  const report = unpackStdin(owners === "owners", JSON.parse(limits ?? "") as UnpackLimits);
  writeAll(1, new TextEncoder().encode(`${JSON.stringify(report)}\n`));
  return report.ok ? 0 : 1;
}

function unpackStdin(owners: boolean, limits: UnpackLimits): UnpackReport {
  try {
    const summary = unpackArchive(readStdin, layerFs, layerFs.root(unpackTarget), { limits, owners });
    if (summary.implied.length > maximumImplied)
      throw new LayerRefusal(`it has more than ${maximumImplied} directories that the archive does not describe`);
    return { ok: true, summary };
  } catch (error) {
    if (error instanceof LayerRefusal) {
      const { entry, reason, limit } = error;
      return { ok: false, kind: "invalid", entry: entry?.slice(0, 4096), reason: reason.slice(0, 4096), limit };
    }
    if (!(error instanceof TreeError)) throw error;
    const reason = `${error.step} ${error.path}: ${errnoName(error.errno)}`;
    return { ok: false, kind: "failed", entry: undefined, reason: reason.slice(0, 4096) };
  }
}

function readStdin(into: Uint8Array): number {
  for (;;) {
    const count = readFd(0, into);
    if (count === -errno.EINTR) continue;
    if (count < 0) throw new TreeError("read", "the archive", -count);
    return count;
  }
}
