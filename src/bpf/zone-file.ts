import { bpfContractHash } from "./contract-hash.gen.ts";
import { zoneBytes } from "./layout.gen.ts";

/** A zone's record as a file: what it is, of which version, and the record that lies in `rauha_zones` elsewhere. */

const magic = [0x52, 0x41, 0x55, 0x48, 0x41, 0x5a, 0x0a, 0];
const recordAt = 16;
export const zoneFileBytes = recordAt + zoneBytes;

/** The file of a record. */
export function zoneFile(record: Uint8Array): Uint8Array {
  const file = new Uint8Array(zoneFileBytes);
  file.set(magic);
  new DataView(file.buffer).setBigUint64(8, bpfContractHash, true);
  file.set(record, recordAt);
  return file;
}

/** Whether a file, or its beginning, is a zone's record, of whatever version. */
export function isZoneFile(file: Uint8Array): boolean {
  return magic.every((byte, index) => file[index] === byte);
}

/** The record in a file; undefined for a file that is none, of another version, or cut. */
export function recordInFile(file: Uint8Array): Uint8Array | undefined {
  if (file.length !== zoneFileBytes || !isZoneFile(file)) return undefined;
  const version = new DataView(file.buffer, file.byteOffset).getBigUint64(8, true);
  return version === bpfContractHash ? file.subarray(recordAt) : undefined;
}
