import { closeFd, flag, openFile, writeAll } from "../ffi.ts";
import { readSmallFile } from "../small-file.ts";
import { NetworkFailure } from "./failure.ts";

/** Settings of network devices, below /proc/sys/net: those of the network namespace of the calling thread. */

/** The file of one setting of a device. */
export function deviceSetting(version: "ipv4" | "ipv6", device: string, name: string): string {
  return `/proc/sys/net/${version}/conf/${device}/${name}`;
}

/** The value, or undefined if there is no such setting (a device that has gone, a kernel without IPv6). */
export function readSetting(path: string): string | undefined {
  return readSmallFile(path, 64)?.trim();
}

/** Sets a value. A setting that is not there is an error. */
export function writeSetting(path: string, value: string): void {
  const fd = openFile(path, flag.O_WRONLY);
  if (fd < 0) throw new NetworkFailure("open", -fd, path);
  const written = writeAll(fd, new TextEncoder().encode(`${value}\n`));
  closeFd(fd);
  if (written < 0) throw new NetworkFailure("write", -written, path);
}
