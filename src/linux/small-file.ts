import { closeFd, flag, openFile, readFd } from "./ffi.ts";

/** The text of a small file of /proc, /sys or /etc; undefined when it can't be read. At most `limit` bytes. */
export function readSmallFile(path: string, limit = 65536): string | undefined {
  const fd = openFile(path, flag.O_RDONLY);
  if (fd < 0) return undefined;
  const buffer = new Uint8Array(limit);
  let length = 0;
  for (;;) {
    const n = readFd(fd, buffer.subarray(length));
    if (n <= 0) break;
    length += n;
    if (length === limit) break;
  }
  closeFd(fd);
  return new TextDecoder().decode(buffer.subarray(0, length));
}
