import type { Report } from "../report/report.ts";
import { syscallName } from "../seccomp/syscalls.ts";
import { type UseKind, useKind } from "./watched.ts";

/** One thing that a task did, or tried to do. */
export type Use =
  | { readonly what: "path"; readonly kind: UseKind; readonly path: string; readonly writes: boolean }
  | { readonly what: "unix"; readonly kind: UseKind; readonly path: string }
  /** `address` without brackets. */
  | { readonly what: "inet"; readonly kind: UseKind; readonly address: string; readonly port: number };

const AUDIT_ARCH_AARCH64 = 0xc000_00b7;
const O_ACCMODE = 3;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

/** What a report says that the task used, in order. */
export function usesOf(report: Report): Use[] {
  return report.used.flatMap((record): Use[] => {
    const kind = useKind(syscallName(record.arch === AUDIT_ARCH_AARCH64 ? "aarch64" : "x86_64", record.nr));
    if (kind === undefined) return [];
    if (kind === "connect" || kind === "bind") return addressUse(kind, record.address);
    const path = absolutePath(record.path, record.base);
    if (path === undefined) return [];
    if (kind !== "open") return [{ what: "path", kind, path, writes: ["make", "make-dir", "change"].includes(kind) }];
    const makes = (record.flags & O_CREAT) !== 0;
    const writes = makes || (record.flags & O_TRUNC) !== 0 || (record.flags & O_ACCMODE) !== 0;
    return [{ what: "path", kind: makes ? "make" : writes ? "change" : "open", path, writes }];
  });
}

/** The path from the root, without `.` and `..`; undefined where a relative one starts from no directory of the zone's. */
export function absolutePath(path: string, base: string): string | undefined {
  if (!path.startsWith("/") && !base.startsWith("/")) return undefined;
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${base}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function addressUse(kind: UseKind, address: Uint8Array): Use[] {
  const view = new DataView(address.buffer, address.byteOffset, address.byteLength);
  if (address.length < 3) return [];
  const family = view.getUint16(0, true);
  if (family === AF_UNIX) {
    const name = address.subarray(2);
    const end = name.indexOf(0);
    const path = new TextDecoder().decode(end < 0 ? name : name.subarray(0, end));
    return path.startsWith("/") ? [{ what: "unix", kind, path }] : [];
  }
  if (family === AF_INET && address.length >= 8) {
    return [{ what: "inet", kind, address: [...address.subarray(4, 8)].join("."), port: view.getUint16(2) }];
  }
  if (family === AF_INET6 && address.length >= 24) {
    const words = Array.from({ length: 8 }, (_, index) => view.getUint16(8 + 2 * index).toString(16));
    return [{ what: "inet", kind, address: words.join(":"), port: view.getUint16(2) }];
  }
  return [];
}
