/**
 * Looks through an archive that holds images, or is a root file system: which files are in it and where. Names of such archives are
 * short and plain; the first entry that could not be in one of them says that this is a root file system. Pure.
 */
import { refuse } from "../image-error.ts";

/** A regular file of an archive: its content is the bytes from `offset` on. */
export interface ArchivedFile {
  readonly offset: number;
  readonly size: number;
}

/** `docker save` and `podman save`, an OCI layout in an archive, or the files of a root themselves. */
export type ArchiveKind = "docker" | "oci" | "rootfs";

const block = 512;
const maxFiles = 20_000;
/** What `docker save`, `podman save` and OCI archives hold. */
const expected =
  /^(?:manifest\.json|repositories|index\.json|oci-layout|blobs(?:\/sha(?:256|512)(?:\/[0-9a-f]{64,128})?)?|[0-9a-f]{64}(?:\.json|\.tar|\/(?:VERSION|json|layer\.tar))?)$/;

/** Reads the headers of an archive as it goes by, and finds out what kind it is. Throws an `invalid_image` for what is no archive. */
export class ArchiveScan {
  readonly files = new Map<string, ArchivedFile>();
  /** Other names of files: old archives name a layer twice. */
  readonly links = new Map<string, string>();
  #header = new Uint8Array(block);
  /** How much of the next header is here, where it begins, and how many bytes have come. */
  #filled = 0;
  #next = 0;
  #position = 0;
  #zeros = 0;
  #entries = 0;
  #isRootfs = false;

  /** Takes the next bytes; false when more of them would tell nothing new. Throws an `invalid_image` for what is no tar archive. */
  feed(bytes: Uint8Array): boolean {
    const end = this.#position + bytes.length;
    while (!this.#isRootfs && this.#zeros < 2 && this.#next + this.#filled < end) {
      const from = this.#next + this.#filled - this.#position;
      const taken = bytes.subarray(from, from + block - this.#filled);
      this.#header.set(taken, this.#filled);
      this.#filled += taken.length;
      if (this.#filled < block) break;
      this.#filled = 0;
      this.#next += block;
      this.#next += this.#take(this.#next);
    }
    this.#position = end;
    return !this.#isRootfs;
  }

  /** What it is, at its end. */
  kind(): ArchiveKind {
    if (this.#isRootfs) return "rootfs";
    if (this.#entries === 0) refuse("invalid_image", "it is no tar archive, or an empty one");
    if (this.#zeros < 2 && (this.#filled > 0 || this.#position < this.#next))
      refuse("invalid_image", "the archive is cut off");
    if (this.files.has("manifest.json")) return "docker";
    return this.files.has("oci-layout") && this.files.has("index.json") ? "oci" : "rootfs";
  }

  /** Reads a header; gives how many bytes follow before the next one. `offset` is where its content begins. */
  #take(offset: number): number {
    const header = this.#header;
    if (header.every((byte) => byte === 0)) {
      this.#zeros++;
      return 0;
    }
    this.#zeros = 0;
    if (!hasValidChecksum(header)) {
      refuse("invalid_image", this.#entries === 0 ? "it is no tar archive" : "a header of the archive is damaged");
    }
    const type = String.fromCharCode(header[156] ?? 0);
    const size = octal(header, 124, 12);
    const length = Math.ceil(size / block) * block;
    // Times and the like for the next entry, or for all: nothing that such an archive needs.
    if (type === "x" || type === "g") return length;
    this.#entries++;
    const name = text(header, 0, 100).replace(/^\.\//, "").replace(/\/$/, "");
    const isFile = type === "0" || type === "\0";
    if (name === "." || name === "") return length;
    if (this.#entries > maxFiles || !expected.test(name) || !(isFile || type === "5" || type === "2" || type === "1")) {
      this.#isRootfs = true;
    } else if (isFile) this.files.set(name, { offset, size });
    else if (type !== "5") this.links.set(name, resolveLink(name, text(header, 157, 100), type === "1"));
    return length;
  }
}

/** A link's target as a name of the archive. */
function resolveLink(name: string, target: string, hard: boolean): string {
  const parts = hard ? [] : name.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

function text(header: Uint8Array, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return String.fromCharCode(...(end < 0 ? field : field.subarray(0, end)));
}

/** A number in octal, or in GNU's binary form for what is large. */
function octal(header: Uint8Array, at: number, length: number): number {
  if ((header[at] ?? 0) & 0x80) {
    const digits = header.subarray(at + length - 7, at + length);
    const value = digits.reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : refuse("invalid_image", "an entry of the archive has no sound size");
  }
  const digits = text(header, at, length).trim();
  if (!/^[0-7]*$/.test(digits)) refuse("invalid_image", "an entry of the archive has no sound size");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

/** The sum of all bytes, those of the checksum itself counted as blanks. */
function hasValidChecksum(header: Uint8Array): boolean {
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  const digits = text(header, 148, 8).trim();
  return /^[0-7]+$/.test(digits) && Number.parseInt(digits, 8) === sum;
}
