import { type Hook, hooks, objectKind, type Reason, reasons } from "./contract.ts";
import { bytesText, decodeRecord } from "./record.ts";

/** A denial as the programs wrote it down, in words and numbers. */
export interface Denial {
  readonly hook: Hook;
  readonly reason: Reason;
  /** Nanoseconds since boot, CLOCK_BOOTTIME. */
  readonly bootNs: bigint;
  readonly pid: number;
  readonly comm: string;
  /** Cgroup of the zone that the object belongs to; 0 where it is in none, or nobody knows. */
  readonly target: bigint;
  /** A path, a name or an address; null for what has none. */
  readonly object: string | null;
  /** A signal, a capability, a command: what `hook` is about. */
  readonly number: number | null;
}

/** Reads an event; undefined while it is still being written. */
export function decodeDenial(bytes: Uint8Array): Denial | undefined {
  const event = decodeRecord("event", bytes);
  if (event.done === 0) return undefined;
  return {
    hook: hooks[event.hook] ?? "file_open",
    reason: reasons[event.reason] ?? "none",
    bootNs: event.boot_ns,
    pid: event.pid,
    comm: bytesText(event.comm),
    target: event.target,
    object: objectOf(event.object_kind, event.object),
    number: event.object_kind === objectKind.number ? Number(event.number) : null,
  };
}

function objectOf(kind: number, object: Uint8Array): string | null {
  if (kind === objectKind.path || kind === objectKind.name) return bytesText(object);
  return kind === objectKind.address ? addressText(object) : null;
}

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

/** `address:port`, a socket's path, or `@name` for an abstract one. */
function addressText(bytes: Uint8Array): string | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const family = view.getUint16(0, true);
  if (family === AF_UNIX) {
    const abstract = bytes[2] === 0;
    const name = bytesText(bytes.subarray(abstract ? 3 : 2, 110));
    return name === "" ? null : `${abstract ? "@" : ""}${name}`;
  }
  const port = view.getUint16(2, false);
  if (family === AF_INET) return `${bytes.subarray(4, 8).join(".")}:${port}`;
  if (family !== AF_INET6) return null;
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(8 + 2 * index, false).toString(16));
  return `[${groups.join(":").replace(/(^|:)0(:0)+(:|$)/, "::")}]:${port}`;
}
