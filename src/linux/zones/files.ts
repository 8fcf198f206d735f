import { bytesText, decodeRecord, type MapRecord } from "../../bpf/record.ts";
import { recordInFile, zoneFileBytes } from "../../bpf/zone-file.ts";
import type { RecordedZone, ZoneRegistry } from "../../run/zone-registry.ts";
import { closeFd, readFd } from "../ffi.ts";
import { isOwned, openEntry, type ZoneDirectory } from "./directory.ts";
import { namesIn, removeIfLeft } from "./leftovers.ts";

/** The registry in the runtime directory: a file for each zone under its id, and under its name where that is another. */
export function fileRegistry({ fd, path }: ZoneDirectory): ZoneRegistry {
  const read = (name: string): RecordedZone | undefined => {
    const zone = readZoneFile(fd, name);
    return zone === undefined || (zone.id !== name && zone.name !== name) ? undefined : zone;
  };
  return {
    place: path,
    list() {
      // By id: a zone may have a name besides.
      const zones = namesIn(fd).flatMap((name) => read(name) ?? []);
      return [...new Map(zones.map((zone) => [zone.id, zone])).values()];
    },
    find: (idOrName) => (idOrName.includes("/") || idOrName.startsWith(".") ? undefined : read(idOrName)),
    sweep: () => namesIn(fd).filter((name) => removeIfLeft(fd, name)).length,
    close: () => closeFd(fd),
  };
}

/** The record in a file whose owner lives; undefined for any other file. */
function readZoneFile(directory: number, name: string): RecordedZone | undefined {
  const fd = openEntry(directory, name);
  if (fd < 0) return undefined;
  // One byte more, so that a longer file shows.
  const bytes = new Uint8Array(zoneFileBytes + 1);
  const length = isOwned(fd) ? readFd(fd, bytes) : 0;
  closeFd(fd);
  const record = recordInFile(bytes.subarray(0, Math.max(0, length)));
  return record === undefined ? undefined : recordedZone(decodeRecord("zone", record));
}

/** A record in words. */
export function recordedZone(zone: MapRecord<"zone">): RecordedZone {
  return {
    id: bytesText(zone.id),
    name: bytesText(zone.name),
    policyHash: `sha256:${zone.policy_hash.toHex()}`,
    cgroup: zone.cgroup,
    mountNamespace: zone.mount_ns,
    createdAt: Number(zone.created_ms),
  };
}
