import { type FieldSpec, type RecordName, records } from "./contract.ts";

/** A number up to 32 bits is a number, 64 bits are a bigint; bytes are bytes. */
type FieldValue<F extends FieldSpec> = F extends "u64" ? bigint : F extends "u16" | "u32" ? number : Uint8Array;

/** A record of the contract as TypeScript has it. */
export type MapRecord<N extends RecordName> = {
  readonly [F in keyof (typeof records)[N]]: (typeof records)[N][F] extends FieldSpec
    ? FieldValue<(typeof records)[N][F]>
    : never;
};

const widths = { u16: 2, u32: 4, u64: 8 } as const;

/** Size of a field in bytes. */
export function fieldBytes(spec: FieldSpec): number {
  return typeof spec === "string" ? widths[spec] : spec.bytes;
}

/** Size of a record in bytes. */
export function recordBytes(name: RecordName): number {
  return Object.values<FieldSpec>(records[name]).reduce((sum, spec) => sum + fieldBytes(spec), 0);
}

/** Where a field lies in its record. */
export function fieldOffset<N extends RecordName>(name: N, field: keyof (typeof records)[N] & string): number {
  let offset = 0;
  for (const [each, spec] of Object.entries<FieldSpec>(records[name])) {
    if (each === field) return offset;
    offset += fieldBytes(spec);
  }
  throw new Error(`${name} has no field ${field}`);
}

/** The record's bytes. Fields that are left out are zero; bytes that don't fit are an error. */
export function encodeRecord<N extends RecordName>(name: N, values: Partial<MapRecord<N>>): Uint8Array {
  const out = new Uint8Array(recordBytes(name));
  const view = new DataView(out.buffer);
  let offset = 0;
  for (const [field, spec] of Object.entries<FieldSpec>(records[name])) {
    const value = (values as Readonly<Record<string, number | bigint | Uint8Array | undefined>>)[field];
    if (value instanceof Uint8Array) {
      if (value.length > fieldBytes(spec)) throw new RangeError(`${name}.${field}: ${value.length} bytes do not fit`);
      out.set(value, offset);
    } else if (spec === "u64") view.setBigUint64(offset, BigInt(value ?? 0), true);
    else if (spec === "u32") view.setUint32(offset, Number(value ?? 0), true);
    else if (spec === "u16") view.setUint16(offset, Number(value ?? 0), true);
    offset += fieldBytes(spec);
  }
  return out;
}

/** The record that these bytes are. */
export function decodeRecord<N extends RecordName>(name: N, bytes: Uint8Array): MapRecord<N> {
  const size = recordBytes(name);
  if (bytes.length < size) throw new RangeError(`${name}: ${bytes.length} bytes, ${size} needed`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: Record<string, number | bigint | Uint8Array> = {};
  let offset = 0;
  for (const [field, spec] of Object.entries<FieldSpec>(records[name])) {
    if (spec === "u64") out[field] = view.getBigUint64(offset, true);
    else if (spec === "u32") out[field] = view.getUint32(offset, true);
    else if (spec === "u16") out[field] = view.getUint16(offset, true);
    else out[field] = bytes.slice(offset, offset + spec.bytes);
    offset += fieldBytes(spec);
  }
  return out as MapRecord<N>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text for a bytes field: UTF-8. */
export function textBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text of a bytes field, up to its first NUL. */
export function bytesText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}
