/**
 * What a profile means, said as plainly as possible and without any of the compiler's ways: the judge of its filters. Also the
 * random source that property tests share.
 */
import type {
  Arch,
  ArgCondition,
  SeccompAction,
  SeccompProfile,
  SeccompRule,
} from "../../../src/run/seccomp/profile.ts";
import { syscallTable } from "../../../src/run/seccomp/syscalls.ts";

export interface Asked {
  readonly arch: Arch;
  readonly capabilities?: readonly string[];
  readonly deny?: readonly string[];
  readonly allow?: readonly string[];
}

export const ENOSYS = 0x0005_0026;
export const EPERM = 0x0005_0001;
export const ALLOW = 0x7fff_0000;
export const KILL_PROCESS = 0x8000_0000;
export const NOTIFY = 0x7fc0_0000;

/** The verdict for one call of the native architecture. */
export function expectedVerdict(
  profile: SeccompProfile,
  asked: Asked,
  number: number,
  args: readonly bigint[],
): number {
  const table = syscallTable(asked.arch);
  if (asked.arch === "x86_64" && number >= 0x4000_0000 && number !== 0xffff_ffff) return KILL_PROCESS;
  const name = table.names.get(number);
  if (name !== undefined && asked.deny?.includes(name)) return EPERM;
  if (name !== undefined && asked.allow?.includes(name)) return ALLOW;
  for (const rule of profile.rules) {
    if (name === undefined || !rule.names.includes(name) || !counts(rule, asked)) continue;
    if (rule.conditions.every((condition) => holds(condition, args))) return code(rule.action);
  }
  const passes = profile.defaultAction.kind === "allow" || profile.defaultAction.kind === "log";
  if (!passes && (name === undefined || number > newest(profile, asked))) return ENOSYS;
  return code(profile.defaultAction);
}

function newest(profile: SeccompProfile, { arch, deny = [], allow = [] }: Asked): number {
  const { numbers } = syscallTable(arch);
  const names = [...deny, ...allow, ...profile.rules.flatMap((rule) => rule.names)];
  return Math.max(-1, ...names.map((name) => numbers.get(name) ?? -1));
}

function counts({ includes, excludes }: SeccompRule, { arch, capabilities = [] }: Asked): boolean {
  const go = arch === "x86_64" ? "amd64" : "arm64";
  if (includes?.caps?.some((name) => !capabilities.includes(name))) return false;
  if (includes?.arches?.length && !includes.arches.includes(go)) return false;
  if (excludes?.caps?.some((name) => capabilities.includes(name))) return false;
  return !excludes?.arches?.includes(go) && excludes?.minKernel === undefined;
}

export function holds(condition: ArgCondition, args: readonly bigint[]): boolean {
  const arg = BigInt.asUintN(64, args[condition.index] ?? 0n);
  switch (condition.op) {
    case "eq":
      return arg === condition.value;
    case "ne":
      return arg !== condition.value;
    case "lt":
      return arg < condition.value;
    case "le":
      return arg <= condition.value;
    case "gt":
      return arg > condition.value;
    case "ge":
      return arg >= condition.value;
    case "masked_eq":
      return (arg & condition.mask) === condition.value;
  }
}

function code(action: SeccompAction): number {
  if (action.kind === "errno") return 0x0005_0000 + action.errno;
  return {
    allow: ALLOW,
    log: 0x7ffc_0000,
    trap: 0x0003_0000,
    kill_thread: 0,
    kill_process: KILL_PROCESS,
    notify: EPERM,
  }[action.kind];
}

/** Values at which a comparison with `value` can change its mind, and what high halves do to it. */
export function edges(value: bigint, mask = (1n << 64n) - 1n): bigint[] {
  const near = [value, value - 1n, value + 1n, ~value, value ^ 1n, value ^ (1n << 31n), value ^ (1n << 32n), 0n, -1n];
  const high = [value + (1n << 32n), value | (0xffff_ffffn << 32n), value & 0xffff_ffffn, value | (1n << 63n)];
  const masked = [value | ~mask, value | mask, mask, ~mask];
  return [...new Set([...near, ...high, ...masked].map((one) => BigInt.asUintN(64, one)))];
}

/** A generator of numbers that are always the same for one seed (mulberry32). */
export function randomSource(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** A 64-bit value that is likely to be near an edge of something. */
export function randomWord(random: (below: number) => number): bigint {
  const small = BigInt(random(16));
  const word = (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
  const choices = [
    small,
    1n << BigInt(random(64)),
    word & 0xffff_ffffn,
    (small << 32n) | BigInt(random(4)),
    word,
    -small,
  ];
  return BigInt.asUintN(64, choices[random(choices.length)] ?? 0n);
}
