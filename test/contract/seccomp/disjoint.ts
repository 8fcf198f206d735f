/**
 * Says a profile's rules again so that their order means nothing, which is how libseccomp reads them: what an earlier rule has
 * decided is cut out of the later ones. A set of calls is a list of cubes, each fixing some bits of some arguments.
 */
import type { ArgCondition } from "../../../src/run/seccomp/profile.ts";

/** Bits that must have a value, by argument; `null` for rules that compare by order, which can't be cut. */
export type Cube = ReadonlyMap<number, { readonly mask: bigint; readonly value: bigint }>;

export interface Ordered<T> {
  readonly conditions: readonly ArgCondition[];
  readonly action: T;
}

export interface Disjoint<T> {
  readonly cube: Cube;
  readonly action: T;
}

const ALL = (1n << 64n) - 1n;

/** Rules as cubes that don't overlap; neighbours of one action are not cut from each other. */
export function disjointRules<T>(rules: readonly Ordered<T>[]): Disjoint<T>[] {
  const before: { cube: Cube; action: T }[] = [];
  return rules.flatMap(({ conditions, action }) => {
    const cube = cubeOf(conditions);
    let pieces = [cube];
    for (const earlier of before) {
      if (earlier.action !== action) pieces = pieces.flatMap((piece) => subtract(piece, earlier.cube));
    }
    before.push({ cube, action });
    return pieces.map((piece) => ({ cube: piece, action }));
  });
}

/** What a condition of libseccomp's is: SCMP_CMP_MASKED_EQ on each argument that the cube speaks of. */
export function cubeConditions(cube: Cube): ArgCondition[] {
  return [...cube].map(([index, { mask, value }]) => ({ index, op: "masked_eq", mask, value }));
}

function cubeOf(conditions: readonly ArgCondition[]): Cube {
  return new Map(
    conditions.map((condition) => {
      if (condition.op === "masked_eq") return [condition.index, { mask: condition.mask, value: condition.value }];
      if (condition.op === "eq") return [condition.index, { mask: ALL, value: condition.value }];
      throw new Error(`${condition.op} is no cube`);
    }),
  );
}

/** The part of `from` outside `hole`: for each bit that the hole fixes, the calls that agree so far and differ there. */
function subtract(from: Cube, hole: Cube): Cube[] {
  const pieces: Cube[] = [];
  let rest = new Map(from);
  for (const [index, { mask, value }] of hole) {
    for (let bit = 1n; bit <= mask; bit <<= 1n) {
      if ((mask & bit) === 0n) continue;
      const here = rest.get(index) ?? { mask: 0n, value: 0n };
      const agrees = (here.value & bit) === (value & bit);
      if ((here.mask & bit) !== 0n && !agrees) return [...pieces, rest];
      if ((here.mask & bit) !== 0n) continue;
      const fixed = (bits: bigint): Cube =>
        new Map([...rest, [index, { mask: here.mask | bit, value: here.value | bits }]]);
      pieces.push(fixed(~value & bit));
      rest = new Map(fixed(value & bit));
    }
  }
  return pieces;
}
