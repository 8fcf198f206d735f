import { closeFd, flag, openFile, readFd } from "./ffi.ts";
import { consulting } from "./start/consulting.ts";

const decoder = new TextDecoder();
/** Files are mostly smaller than this. */
const firstBytes = 65_536;

/** The first `limit` bytes of a file, or `-errno`. */
export function readWholeFile(path: string, limit: number): Uint8Array | number {
  const outcome = readFirst(path, limit);
  consulting.noted?.read(path, limit, outcome);
  return outcome;
}

function readFirst(path: string, limit: number): Uint8Array | number {
  const fd = openFile(path, flag.O_RDONLY);
  if (fd < 0) return fd;
  // A limit says what is too much, not what there is: memory follows the file.
  let buffer = new Uint8Array(Math.min(limit, firstBytes));
  let length = 0;
  while (length < limit) {
    if (length === buffer.length) buffer = grown(buffer, limit);
    const n = readFd(fd, buffer.subarray(length));
    if (n < 0) length = n;
    if (n <= 0) break;
    length += n;
  }
  closeFd(fd);
  return length < 0 ? length : buffer.subarray(0, length);
}

function grown(full: Uint8Array<ArrayBuffer>, limit: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(limit, full.length * 4));
  larger.set(full);
  return larger;
}

/** The text of a small file of /proc, /sys or /etc; undefined when it can't be read. */
export function readSmallFile(path: string, limit = 16384): string | undefined {
  const bytes = readWholeFile(path, limit);
  return typeof bytes === "number" ? undefined : decoder.decode(bytes);
}
