import { zoneAt } from "../../bpf/layout.gen.ts";
import { zoneRecord } from "../../bpf/zone-entry.ts";
import { zoneFile } from "../../bpf/zone-file.ts";
import { cgroupKind } from "../../run/plan/contract.ts";
import type { Plan } from "../../run/plan/plan.ts";
import type { Policy } from "../../run/policy/policy.ts";
import { errnoName } from "../../run/report/errno.ts";
import type { ZoneNotes } from "../../run/zone-registry.ts";
import { bootNs } from "../boot-clock.ts";
import { addressOf, closeFd, systemCall, writeAll } from "../ffi.ts";
import { at, call, failure, open } from "../system-calls.ts";
import { lockFile, openZoneDirectory, unlinkEntry } from "./directory.ts";
import { sweepSome } from "./leftovers.ts";

const encoder = new TextEncoder();
/** The kernel's __O_TMPFILE; with O_DIRECTORY it is O_TMPFILE. */
const temporary = 0o20000000 | open.directory;
const followLinks = 0x400;
const STATX_INO = 0x100;
const inodeOffset = 32;

export const zoneNotes: ZoneNotes = { note, sweep };

function sweep(): void {
  const directory = openZoneDirectory(false);
  if ("problem" in directory) return;
  sweepSome(directory.fd, placeOf(bootNs()));
  closeFd(directory.fd);
}

/** Each run begins at another place of the directory. */
function placeOf(ns: bigint): number {
  return Number(ns % 4093n);
}

/**
 * The record of one run's zone. The file has no name until it is whole and locked: nobody ever sees half of one, or one without an owner,
 * and two zones can't have one name. The lock ends with this process, however it ends.
 */
function note(plan: Plan, policy: Policy, pid: number): ReturnType<ZoneNotes["note"]> {
  const directory = openZoneDirectory(true);
  if ("problem" in directory) return directory;
  const madeNs = bootNs();
  sweepSome(directory.fd, placeOf(madeNs));
  const { zoneId } = plan;
  const owner = { pid: process.pid, madeNs };
  const entry = { id: zoneId, name: zoneId, contactName: policy.name, cgroup: cgroupOf(plan), levels: [], policy };
  const record = zoneRecord({ ...entry, createdMs: Date.now(), owner, uid: process.geteuid?.() ?? 0 });
  new DataView(record.buffer).setUint32(zoneAt.mount_ns, Number(inodeOf(`/proc/${pid}/ns/mnt`)), true);
  const fd = makeFile(directory.fd, zoneId, zoneFile(record));
  if (fd < 0) {
    closeFd(directory.fd);
    return { problem: `${directory.path}/${zoneId}: ${errnoName(-fd)}` };
  }
  return {
    remove() {
      unlinkEntry(directory.fd, zoneId);
      closeFd(fd);
      closeFd(directory.fd);
    },
  };
}

/** Makes a file that is locked by this process; a descriptor, or `-errno`. */
function makeFile(directory: number, name: string, content: Uint8Array): number {
  const flags = temporary | open.readWrite | open.closeOnExec;
  const fd = systemCall(call.openat, directory, addressOf(encoder.encode(".\0")), flags, 0o600);
  if (fd < 0) return fd;
  const failed = Math.min(0, lockFile(fd) ? writeAll(fd, content) : -failure.EAGAIN) || nameFile(fd, directory, name);
  if (failed >= 0) return fd;
  closeFd(fd);
  return failed;
}

/** Its cgroup on the unified hierarchy; ids of version 1 say nothing there, and are 0n. */
function cgroupOf({ ops }: Plan): bigint {
  for (const { op } of ops) if (op.op === "cgroup" && op.kind === cgroupKind.v2) return inodeOf(op.path);
  return 0n;
}

function nameFile(fd: number, directory: number, name: string): number {
  const [from, to] = [encoder.encode(`/proc/self/fd/${fd}\0`), encoder.encode(`${name}\0`)];
  return systemCall(call.linkat, at.current, addressOf(from), directory, addressOf(to), followLinks);
}

/** The number of what a path leads to; 0 where that can't be asked. */
function inodeOf(path: string): bigint {
  const out = new Uint8Array(256);
  const name = encoder.encode(`${path}\0`);
  const failed = systemCall(call.statx, at.current, addressOf(name), 0, STATX_INO, addressOf(out));
  return failed < 0 ? 0n : new DataView(out.buffer).getBigUint64(inodeOffset, true);
}
