import type { Assembler, Label } from "./assembler.ts";
import { opcode } from "./bpf.ts";
import { type Branch, emitBranches } from "./conditions.ts";

/** What happens to one system call: the first branch that holds, else `otherwise`. */
export interface Decision {
  readonly branches: readonly Branch[];
  readonly otherwise: number;
  /** Equal for equal decisions: those share one piece of code. */
  readonly key: string;
}

/** The same decision for every number from `first` up to the next range's first; `weight` is how often it is asked. */
export interface Range {
  readonly first: number;
  readonly decision: Decision;
  readonly weight: number;
}

export function decision(branches: readonly Branch[], otherwise: number): Decision {
  const parts = branches.map(({ conditions, verdict }) => {
    const all = conditions.map((c) => `${c.op} ${c.index} ${c.value}${c.op === "masked_eq" ? ` ${c.mask}` : ""}`);
    return `${all.join("&")}>${verdict}`;
  });
  return { branches, otherwise, key: [...parts, otherwise].join("|") };
}

/**
 * Emits the search for a system call's decision: a binary tree over ranges of equal decisions, lighter ranges deeper. It
 * looks at the number only, so that the kernel can learn which calls are always allowed and stop asking for those.
 * Ranges are in order and the first one starts at 0.
 */
export function emitDispatch(assembler: Assembler, ranges: readonly Range[]): Label {
  const merged = mergeRanges(ranges);
  const code = new Map<string, Label>();
  for (const { decision } of merged) {
    const { branches, otherwise, key } = decision;
    if (branches.length > 0 && !code.has(key)) code.set(key, emitBranches(assembler, branches, otherwise));
  }
  const leaf = ({ decision }: Range): Label => code.get(decision.key) ?? assembler.return(decision.otherwise);
  return emitTree(assembler, merged, leaf);
}

/** Joins neighbours that decide alike. */
function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const range of ranges) {
    const last = merged.at(-1);
    if (!last || !sameDecision(last, range)) merged.push(range);
    else merged[merged.length - 1] = { ...last, weight: last.weight + range.weight };
  }
  return merged;
}

function emitTree(assembler: Assembler, ranges: readonly Range[], leaf: (range: Range) => Label): Label {
  const [first, second, third] = ranges;
  if (!first) throw new Error("a filter needs a range");
  if (!second) return leaf(first);
  if (third && ranges.length === 3 && third.first === second.first + 1 && sameDecision(first, third)) {
    return assembler.jump(opcode.equal, second.first, leaf(second), leaf(first));
  }
  const middle = balancedSplit(ranges);
  const upper = emitTree(assembler, ranges.slice(middle), leaf);
  const lower = emitTree(assembler, ranges.slice(0, middle), leaf);
  return assembler.jump(opcode.atLeast, ranges[middle]?.first ?? 0, upper, lower);
}

function sameDecision(a: Range, b: Range): boolean {
  return a.decision.key === b.decision.key;
}

/** The split whose two sides weigh most nearly the same; each has at least one range. */
function balancedSplit(ranges: readonly Range[]): number {
  const total = ranges.reduce((sum, { weight }) => sum + weight, 0);
  let best = 1;
  let smallest = Number.POSITIVE_INFINITY;
  let below = 0;
  for (let index = 1; index < ranges.length; index++) {
    below += ranges[index - 1]?.weight ?? 0;
    const difference = Math.abs(total - 2 * below);
    if (difference < smallest) {
      best = index;
      smallest = difference;
    }
  }
  return best;
}
