import type { Assembler, Label } from "./assembler.ts";
import { dataOffset, opcode } from "./bpf.ts";
import type { ArgCondition } from "./profile.ts";

/** One rule of a system call, its action already a return value of the filter. */
export interface Branch {
  readonly conditions: readonly ArgCondition[];
  readonly verdict: number;
}

/** A place to jump to, and another one for a jump that has already loaded the word it starts with. */
interface Entry {
  readonly label: Label;
  readonly loaded?: { readonly offset: number; readonly label: Label };
}

const WORD = 0xffff_ffffn;
const ALL = 0xffff_ffff_ffff_ffffn;

/** Emits the rules of one system call: the first branch whose conditions all hold decides, else `otherwise`. */
export function emitBranches(assembler: Assembler, branches: readonly Branch[], otherwise: number): Label {
  let next: Entry = { label: assembler.return(otherwise) };
  for (const { conditions, verdict } of branches.toReversed()) {
    let holds: Entry = { label: assembler.return(verdict) };
    for (const condition of conditions.toReversed()) holds = emitCondition(assembler, condition, holds, next);
    next = holds;
  }
  return next.label;
}

function emitCondition(assembler: Assembler, condition: ArgCondition, yes: Entry, no: Entry): Entry {
  switch (condition.op) {
    case "eq":
      return emitEqual(assembler, condition.index, ALL, condition.value, yes, no);
    case "masked_eq":
      return emitEqual(assembler, condition.index, condition.mask, condition.value, yes, no);
    case "ne":
      return emitUnequal(assembler, condition.index, condition.value, yes, no);
    case "gt":
      return emitOrder(assembler, condition, opcode.greater, yes, no);
    case "ge":
      return emitOrder(assembler, condition, opcode.atLeast, yes, no);
    case "lt":
      return emitOrder(assembler, condition, opcode.atLeast, no, yes);
    case "le":
      return emitOrder(assembler, condition, opcode.greater, no, yes);
  }
}

/** (argument & mask) == value, half by half; a half that the mask leaves out is not looked at. */
function emitEqual(assembler: Assembler, index: number, mask: bigint, value: bigint, yes: Entry, no: Entry): Entry {
  const halves = [
    { offset: dataOffset.argLow(index), mask: Number(mask & WORD), value: Number(value & WORD) },
    { offset: dataOffset.argHigh(index), mask: Number(mask >> 32n), value: Number(value >> 32n) },
  ];
  let entry = yes;
  for (const half of halves) {
    if (half.mask !== 0) entry = emitMaskedWord(assembler, half.offset, half.mask, half.value, entry, no);
    else if (half.value !== 0) return no;
  }
  return entry;
}

function emitUnequal(assembler: Assembler, index: number, value: bigint, yes: Entry, no: Entry): Entry {
  const low = emitWord(assembler, opcode.equal, dataOffset.argLow(index), Number(value & WORD), no, yes);
  return emitWord(assembler, opcode.equal, dataOffset.argHigh(index), Number(value >> 32n), low, yes);
}

/** Compares the high halves; only when they are equal do the low halves decide, by `code`. */
function emitOrder(
  assembler: Assembler,
  { index, value }: { readonly index: number; readonly value: bigint },
  code: number,
  yes: Entry,
  no: Entry,
): Entry {
  const high = Number(value >> 32n);
  const offset = dataOffset.argHigh(index);
  const low = emitWord(assembler, code, dataOffset.argLow(index), Number(value & WORD), yes, no);
  const equal = assembler.jump(opcode.equal, high, low.label, target(no, offset));
  const loaded = assembler.jump(opcode.greater, high, target(yes, offset), equal);
  return { label: assembler.load(offset), loaded: { offset, label: loaded } };
}

function emitMaskedWord(
  assembler: Assembler,
  offset: number,
  mask: number,
  value: number,
  yes: Entry,
  no: Entry,
): Entry {
  if (mask === 0xffff_ffff) return emitWord(assembler, opcode.equal, offset, value, yes, no);
  if (value === 0) return emitWord(assembler, opcode.anyBit, offset, mask, no, yes);
  if (value === mask && (mask & (mask - 1)) === 0) return emitWord(assembler, opcode.anyBit, offset, mask, yes, no);
  assembler.jump(opcode.equal, value, yes.label, no.label);
  const loaded = assembler.and(mask);
  return { label: assembler.load(offset), loaded: { offset, label: loaded } };
}

function emitWord(assembler: Assembler, code: number, offset: number, k: number, yes: Entry, no: Entry): Entry {
  const loaded = assembler.jump(code, k, target(yes, offset), target(no, offset));
  return { label: assembler.load(offset), loaded: { offset, label: loaded } };
}

/** Where to go with the word at this offset loaded. */
function target(entry: Entry, offset: number): Label {
  return entry.loaded?.offset === offset ? entry.loaded.label : entry.label;
}
