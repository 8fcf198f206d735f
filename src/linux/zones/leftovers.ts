import { isZoneFile } from "../../bpf/zone-file.ts";
import { addressOf, closeFd, readFd, systemCall } from "../ffi.ts";
import { call } from "../system-calls.ts";
import { lockFile, openEntry, statOf, unlinkEntry } from "./directory.ts";

const decoder = new TextDecoder();
const listBytes = 1 << 16;
/** Records that one run looks at on its way. */
const looksPerRun = 8;

/** Names in the directory, at most as many as fit into one answer of the kernel's with `once`. */
export function namesIn(directory: number, once = false): string[] {
  const names: string[] = [];
  const buffer = new Uint8Array(listBytes);
  const view = new DataView(buffer.buffer);
  systemCall(call.lseek, directory, 0, 0);
  for (;;) {
    const length = systemCall(call.getdents64, directory, addressOf(buffer), buffer.length);
    // struct linux_dirent64: inode (8), offset (8), record length (2), type (1), name with its NUL.
    for (let start = 0; start < length; start += view.getUint16(start + 16, true)) {
      if (buffer[start + 19] === 0x2e) continue;
      names.push(decoder.decode(buffer.subarray(start + 19, buffer.indexOf(0, start + 19))));
    }
    if (length <= 0 || once) return names;
  }
}

/**
 * Looks at a few records, at another place of the directory for each run, and removes those whose owner is gone; where one is, at the rest as
 * well: what is killed is mostly not killed alone.
 */
export function sweepSome(directory: number, place: number): void {
  const names = namesIn(directory, true);
  let count = Math.min(looksPerRun, names.length);
  for (let look = 0; look < count; look++)
    if (removeIfLeft(directory, names[(place + look) % names.length] ?? "")) count = names.length;
}

/**
 * Removes a record whose owner is gone; whether it did. Who has the lock is the only one to do so, and looks once more whether the name still
 * means this file: it may have been given to another zone meanwhile. What is no record is left alone.
 */
export function removeIfLeft(directory: number, name: string): boolean {
  const fd = openEntry(directory, name);
  if (fd < 0) return false;
  const head = new Uint8Array(16);
  const isLeft =
    lockFile(fd) &&
    readFd(fd, head) === head.length &&
    isZoneFile(head) &&
    statOf(fd, "")?.inode === statOf(directory, name)?.inode &&
    unlinkEntry(directory, name) >= 0;
  closeFd(fd);
  return isLeft;
}
