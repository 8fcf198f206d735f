import type { LayerFs } from "../../image/unpack/layer-fs.ts";
import { addressOf, systemCall } from "../ffi.ts";
import { at, call } from "../system-calls.ts";
import { entryBytes, must } from "../tree/names.ts";
import { treeFs } from "../tree/tree-fs.ts";

const UTIME_OMIT = (1n << 30n) - 2n;
const SEEK_SET = 0;
const billion = 1_000_000_000n;

/** `struct timespec` of access and modification: the first is left as it is. The nanoseconds are never negative. */
function times(mtimeNs: bigint): Uint8Array {
  const nanoseconds = ((mtimeNs % billion) + billion) % billion;
  return new Uint8Array(new BigInt64Array([0n, UTIME_OMIT, (mtimeNs - nanoseconds) / billion, nanoseconds]).buffer);
}

/** File trees as layers are unpacked into them: see `LayerFs`. */
export const layerFs: LayerFs = {
  ...treeFs,
  makeLink(fromDir, from, toDir, to) {
    const [source, target] = [entryBytes(from), entryBytes(to)];
    must("link", to, systemCall(call.linkat, fromDir, addressOf(source), toDir, addressOf(target), 0));
  },
  setEntryOwner(dir, name, uid, gid) {
    must("chown", name, systemCall(call.fchownat, dir, addressOf(entryBytes(name)), uid, gid, at.noFollow));
  },
  setEntryTime(dir, name, mtimeNs) {
    const bytes = entryBytes(name);
    must("utimensat", name, systemCall(call.utimensat, dir, addressOf(bytes), addressOf(times(mtimeNs)), at.noFollow));
  },
  setModifiedTime(fd, mtimeNs) {
    must("utimensat", "", systemCall(call.utimensat, fd, 0, addressOf(times(mtimeNs)), 0));
  },
  seek(fd, offset) {
    must("lseek", "", systemCall(call.lseek, fd, offset, SEEK_SET));
  },
  setSize(fd, size) {
    must("ftruncate", "", systemCall(call.ftruncate, fd, size));
  },
};
