import type { SparsePiece } from "./entry.ts";
import { byteString, number } from "./header.ts";
import { nameLimits } from "./limits.ts";
import { type PaxRecords, paxNumber } from "./pax.ts";
import { LayerRefusal } from "./refusal.ts";

/** What an archive says of a file with holes: its length and where its bytes go. GNU tar's manual, "Sparse Formats". */
export interface SparseMap {
  readonly size: number;
  /** Undefined: the map comes first in the entry's own data (format 1.0). */
  readonly pieces: readonly SparsePiece[] | undefined;
  /** The file's name, where the format keeps it apart. */
  readonly name: string | undefined;
}

/** The map in extended headers: formats 0.0, 0.1 and 1.0. Undefined for a file without holes. */
export function sparseOfPax(records: PaxRecords, entry: string): SparseMap | undefined {
  const last = (key: string) => records.findLast(([name]) => name === `GNU.sparse.${key}`)?.[1];
  const size = last("realsize") ?? last("size");
  if (size === undefined) {
    if (records.some(([key]) => key.startsWith("GNU.sparse.")))
      throw new LayerRefusal("its sparse map is malformed", entry);
    return undefined;
  }
  const name = last("name");
  const rest = { size: paxNumber(size, "sparse size", entry), name: name && byteString(name) };
  if (last("major") !== undefined) {
    const version = `${byteString(last("major") ?? new Uint8Array())}.${byteString(last("minor") ?? new Uint8Array())}`;
    if (version !== "1.0") throw new LayerRefusal(`its sparse format ${version} is unknown`, entry);
    return { ...rest, pieces: undefined };
  }
  const map = last("map");
  const numbers =
    map === undefined
      ? records
          .filter(([key]) => key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes")
          .map(([, value]) => paxNumber(value, "sparse map", entry))
      : byteString(map)
          .split(",")
          .map((word) => paxNumber(new TextEncoder().encode(word), "sparse map", entry));
  return { ...rest, pieces: piecesOf(numbers, entry) };
}

/** The map of GNU's old format: four pieces in the header (type `S`), 21 in each block that follows while the last says so. */
export function sparseOfHeader(block: Uint8Array, nextBlock: () => Uint8Array, entry: string): SparseMap {
  const numbers: number[] = [];
  const take = (from: Uint8Array, at: number, count: number) => {
    for (let i = 0; i < count; i++) {
      if (from[at + i * 24] === 0) return;
      numbers.push(
        number(from, at + i * 24, 12, "sparse map", entry),
        number(from, at + i * 24 + 12, 12, "sparse map", entry),
      );
      if (numbers.length > 2 * nameLimits.sparsePieces) throw new LayerRefusal("its sparse map is too long", entry);
    }
  };
  take(block, 386, 4);
  const size = number(block, 483, 12, "sparse size", entry);
  for (let more = block[482] !== 0; more; ) {
    const next = nextBlock();
    take(next, 0, 21);
    more = next[504] !== 0;
  }
  return { size, pieces: piecesOf(numbers, entry), name: undefined };
}

/** The map of format 1.0: decimal numbers, each on its line, padded to whole blocks. Returns the bytes it took. */
export function readSparseBlocks(nextBlock: () => Uint8Array, entry: string): { pieces: SparsePiece[]; bytes: number } {
  let block = nextBlock();
  let bytes = block.length;
  let at = 0;
  const line = (): number => {
    let digits = "";
    for (;;) {
      if (at === block.length) {
        block = nextBlock();
        bytes += block.length;
        at = 0;
      }
      const byte = block[at++] ?? 0;
      if (byte === 10) return paxNumber(new TextEncoder().encode(digits), "sparse map", entry);
      digits += String.fromCharCode(byte);
      if (digits.length > 20) throw new LayerRefusal("its sparse map is malformed", entry);
    }
  };
  const count = line();
  if (count > nameLimits.sparsePieces) throw new LayerRefusal("its sparse map is too long", entry);
  const numbers: number[] = [];
  for (let i = 0; i < 2 * count; i++) numbers.push(line());
  return { pieces: piecesOf(numbers, entry), bytes };
}

function piecesOf(numbers: readonly number[], entry: string): SparsePiece[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * nameLimits.sparsePieces)
    throw new LayerRefusal("its sparse map is malformed", entry);
  const pieces: SparsePiece[] = [];
  for (let i = 0; i < numbers.length; i += 2) pieces.push({ offset: numbers[i] ?? 0, length: numbers[i + 1] ?? 0 });
  return pieces;
}

/** Refuses pieces that overlap, run backwards, pass the end, or are more or less than the data that comes. */
export function checkPieces(pieces: readonly SparsePiece[], size: number, dataBytes: number, entry: string): void {
  let end = 0;
  let total = 0;
  for (const { offset, length } of pieces) {
    if (offset < end || length < 0) throw new LayerRefusal("its sparse map runs backwards", entry);
    end = offset + length;
    total += length;
  }
  if (end > size || total !== dataBytes) throw new LayerRefusal("its sparse map does not fit its data", entry);
}
