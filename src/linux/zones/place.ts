import { addressOf, closeFd, flag, openFile, systemCall } from "../ffi.ts";
import { call } from "../system-calls.ts";

/** Where records of zones lie below the runtime directory. */
export const folderOfZones = "rauha/zones";

/** Root's is /run; an ordinary user's the one that the session names, "" for none. */
export function runtimeDirectory(): string {
  return process.geteuid?.() === 0 ? "/run" : (process.env["XDG_RUNTIME_DIR"] ?? "");
}

/** Entries of an empty directory, `.` and `..`, as getdents64(2) writes them. */
const emptyBytes = 48;

/** Whether there is any record: all that a start whose zone soon ends does about them. */
export function hasZoneRecords(): boolean {
  const fd = openFile(`${runtimeDirectory()}/${folderOfZones}`, flag.O_RDONLY);
  if (fd < 0) return false;
  const entries = new Uint8Array(256);
  const length = systemCall(call.getdents64, fd, addressOf(entries), entries.length);
  closeFd(fd);
  return length > emptyBytes;
}
