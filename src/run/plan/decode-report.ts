import { contractLimits, type FieldType, type ReportRecord, reportRecords } from "./contract.ts";

type Wire = { readonly name: string; readonly fields: readonly (readonly [name: string, type: FieldType])[] };

let wires: ReadonlyMap<number, Wire> | undefined;

/** How each record travels, by id; made when the first record has come, since until then every moment counts. */
function wiresById(): ReadonlyMap<number, Wire> {
  wires ??= new Map(
    Object.entries(reportRecords).map(([name, { id, fields }]) => [id, { name, fields: Object.entries(fields) }]),
  );
  return wires;
}

const decoder = new TextDecoder();
const headerBytes = 8;
/** No record is longer: a chunk of output, or two strings, and a few numbers. */
const payloadLimit = contractLimits.outputChunk + 4096;

/** Bytes that are no report: the two sides do not speak the same contract, or the launcher is broken. */
export class ReportDecodeError extends Error {
  override readonly name = "ReportDecodeError";
}

/** Turns the bytes of a report pipe into records, however they are cut into pieces. */
export class ReportDecoder {
  /** What came of a record that is not whole yet. */
  #rest: Uint8Array = new Uint8Array(0);

  /** Whether the report ended between two records. */
  get isComplete(): boolean {
    return this.#rest.length === 0;
  }

  /** The records that `bytes` complete. Their `bytes` fields are copies: the caller may use its buffer again. */
  push(bytes: Uint8Array): ReportRecord[] {
    const input = this.#rest.length === 0 ? bytes : joined(this.#rest, bytes);
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    const records: ReportRecord[] = [];
    const known = wiresById();
    let at = 0;
    while (input.length - at >= headerBytes) {
      const wire = known.get(view.getUint32(at, true));
      const length = view.getUint32(at + 4, true);
      if (wire === undefined) throw new ReportDecodeError(`unknown record ${view.getUint32(at, true)}`);
      if (length > payloadLimit) throw new ReportDecodeError(`record ${wire.name} has ${length} bytes`);
      const end = at + headerBytes + length;
      if (end > input.length) break;
      records.push(new RecordReader(input, view, at + headerBytes, end).record(wire));
      at = end;
    }
    this.#rest = copied(input, at, input.length);
    return records;
  }
}

/** Reads the fields of one record, and nothing outside it. */
class RecordReader {
  readonly #input: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #at: number;

  constructor(input: Uint8Array, view: DataView, start: number, end: number) {
    this.#input = input;
    this.#view = view;
    this.#at = start;
    this.#end = end;
  }

  record(wire: Wire): ReportRecord {
    const record: Record<string, unknown> = { record: wire.name };
    for (const [name, type] of wire.fields) record[name] = this.#field(type);
    if (this.#at !== this.#end) throw new ReportDecodeError(`record ${wire.name} is longer than its fields`);
    return record as unknown as ReportRecord;
  }

  #field(type: FieldType): unknown {
    switch (type) {
      case "u32":
        return this.#view.getUint32(this.#take(4), true);
      case "u64": {
        const at = this.#take(8);
        return this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
      }
      case "bytes": {
        const at = this.#sized();
        return copied(this.#input, at, this.#at);
      }
      case "str":
        return this.#str();
      case "strs": {
        const count = this.#view.getUint32(this.#take(4), true);
        return Array.from({ length: count }, () => this.#str());
      }
    }
  }

  #str(): string {
    const at = this.#sized();
    const text = decoder.decode(this.#input.subarray(at, this.#at));
    if (this.#input[this.#take(1)] !== 0) throw new ReportDecodeError("a string has no end");
    return text;
  }

  /** Takes a length and that many bytes; where they start. */
  #sized(): number {
    return this.#take(this.#view.getUint32(this.#take(4), true));
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (bytes > this.#end - at) throw new ReportDecodeError("a field is longer than its record");
    this.#at += bytes;
    return at;
  }
}

/** Not `slice`: of a Buffer, that would be a view. */
function copied(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
