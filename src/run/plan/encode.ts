import { contractLimits, type FieldType, type PlanOp, planHeaderBytes, planMagic, type planOps } from "./contract.ts";
import { contractHash } from "./contract-hash.gen.ts";
import type { PlacedPiece } from "./piece.ts";
import { planWires } from "./plan-wires.gen.ts";

const encoder = new TextEncoder();

/** An op that can't travel: a NUL in a string, a number that does not fit, a plan that is too big. `op` is its index. */
export class PlanEncodeError extends Error {
  override readonly name = "PlanEncodeError";
  readonly op: number;

  constructor(op: number, message: string) {
    super(message);
    this.op = op;
  }
}

/** The widest field but for what a string or bytes hold: a length and a NUL, or a u64. */
const fieldBytes = 8;

/**
 * The plan as bytes on the wire; see the head of contract.ts for the format. Ops of `pieces` are encoded already.
 *
 * One function with its loops inside, and no class that writes field by field: this runs once, in the interpreter, where each of the
 * thousand calls would cost more than what it does.
 */
export function encodePlan(ops: readonly PlanOp[], pieces: readonly PlacedPiece[] = []): Uint8Array {
  if (ops.length > contractLimits.ops) throw new PlanEncodeError(contractLimits.ops, "the plan has too many ops");
  let bytes: Uint8Array<ArrayBuffer> = new Uint8Array(16384);
  let view = new DataView(bytes.buffer);
  let at = planHeaderBytes;
  let index = 0;
  const room = (more: number) => {
    if (at + more > contractLimits.planBytes * 3) throw new PlanEncodeError(index, "the plan is too big");
    const grown = new Uint8Array(Math.max(at + more, bytes.length * 2));
    grown.set(bytes.subarray(0, at));
    bytes = grown;
    view = new DataView(grown.buffer);
  };
  const string = (text: string, limit: number, name: string) => {
    if (text.includes("\0")) throw new PlanEncodeError(index, "a string has a NUL in it");
    if (at + text.length * 3 + fieldBytes > bytes.length) room(text.length * 3 + fieldBytes);
    const { written } = encoder.encodeInto(text, bytes.subarray(at + 4));
    if (written > limit) throw new PlanEncodeError(index, `${name} is longer than ${limit} bytes`);
    view.setUint32(at, written, true);
    at += written + 5;
  };
  let kind = "";
  let wire: readonly string[] = [];
  let [piece, ...later] = pieces;
  for (; index < ops.length; index++) {
    if (piece?.at === index) {
      if (at + piece.bytes.length > bytes.length) room(piece.bytes.length);
      bytes.set(piece.bytes, at);
      at += piece.bytes.length;
      index += piece.count - 1;
      [piece, ...later] = later;
      continue;
    }
    const op = ops[index] as Readonly<Record<string, unknown>> & { readonly op: keyof typeof planOps };
    // Looked up when it changes.
    if (op.op !== kind) {
      kind = op.op;
      const line = planWires.indexOf(`\n${kind} `);
      if (line < 0) throw new PlanEncodeError(index, `there is no op ${kind}`);
      wire = planWires.slice(line + kind.length + 2, planWires.indexOf("\n", line + 1)).split(" ");
    }
    if (at + fieldBytes > bytes.length) room(fieldBytes);
    const start = at + fieldBytes;
    view.setUint32(at, Number(wire[0]), true);
    at = start;
    for (let field = 1; field < wire.length; field += 2) {
      const name = wire[field] as string;
      const value = op[name];
      if (value === undefined) throw new PlanEncodeError(index, `${name} is missing`);
      if (at + fieldBytes > bytes.length) room(fieldBytes);
      switch (wire[field + 1] as FieldType) {
        case "u32":
          if ((value as number) >>> 0 !== value) throw new PlanEncodeError(index, `${value} does not fit 32 bits`);
          view.setUint32(at, value, true);
          at += 4;
          break;
        case "u64":
          if (!fitsU64(value as number | bigint)) throw new PlanEncodeError(index, `${value} does not fit 64 bits`);
          // In two halves: the first BigInt that a program makes takes longer than all of this.
          if (typeof value === "bigint") view.setBigUint64(at, value, true);
          else {
            view.setUint32(at, value as number, true);
            view.setUint32(at + 4, Math.floor((value as number) / 2 ** 32), true);
          }
          at += 8;
          break;
        case "str":
          string(value as string, contractLimits.pathBytes, name);
          break;
        case "strs":
          view.setUint32(at, (value as readonly string[]).length, true);
          at += 4;
          for (const word of value as readonly string[]) string(word, contractLimits.planBytes, name);
          break;
        default: {
          const blob = value as Uint8Array;
          if (at + blob.length + 4 > bytes.length) room(blob.length + 4);
          view.setUint32(at, blob.length, true);
          bytes.set(blob, at + 4);
          at += blob.length + 4;
        }
      }
    }
    view.setUint32(start - 4, at - start, true);
  }
  if (at > contractLimits.planBytes) throw new PlanEncodeError(ops.length, "the plan is too big");
  view.setUint32(0, planMagic, true);
  view.setBigUint64(4, contractHash, true);
  view.setUint32(12, ops.length, true);
  view.setUint32(planHeaderBytes - 4, at, true);
  return bytes.subarray(0, at);
}

function fitsU64(value: number | bigint): boolean {
  return typeof value === "bigint" ? value >= 0n && value < 1n << 64n : Number.isSafeInteger(value) && value >= 0;
}
