import { closeFd, flag, openFile, readFd } from "./ffi.ts";

const decoder = new TextDecoder();

/** The first `limit` bytes of a file, or `-errno`. */
export function readWholeFile(path: string, limit: number): Uint8Array | number {
  const fd = openFile(path, flag.O_RDONLY);
  if (fd < 0) return fd;
  const buffer = new Uint8Array(limit);
  let length = 0;
  while (length < limit) {
    const n = readFd(fd, buffer.subarray(length));
    if (n < 0) length = n;
    if (n <= 0) break;
    length += n;
  }
  closeFd(fd);
  return length < 0 ? length : buffer.subarray(0, length);
}

/** The text of a small file of /proc, /sys or /etc; undefined when it can't be read. */
export function readSmallFile(path: string, limit = 16384): string | undefined {
  const bytes = readWholeFile(path, limit);
  return typeof bytes === "number" ? undefined : decoder.decode(bytes);
}
