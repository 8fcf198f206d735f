/** The programs, loaded and pinned for one test file, and what they counted. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import type { Hook } from "../../../src/bpf/contract.ts";
import { lsmSetup, readCounters } from "../../../src/linux/bpf/setup.ts";
import { type BpfState, openState } from "../../../src/linux/bpf/state.ts";
import type { Policy } from "../../../src/run/policy/policy.ts";
import { inVm, isRoot } from "../../support/identity.ts";
import { type Extra, HandMadeZone } from "./zones.ts";

/** What a test file of guarded zones has. */
export interface Guard {
  readonly state: BpfState;
  /** A zone made by hand; it ends with the file at the latest. */
  zone(name: string, policy?: Policy, extra?: Extra): Promise<HandMadeZone>;
}

/** Tests of the programs, which need the rig's kernel and root: they are pinned before the first and taken away after the last. */
export function describeGuarded(name: string, tests: (guard: Guard) => void): void {
  if (!inVm || !isRoot) return;
  describe(name, () => {
    const zones: HandMadeZone[] = [];
    let state: BpfState | undefined;
    const guard: Guard = {
      get state() {
        if (state === undefined) throw new Error("the programs are not loaded");
        return state;
      },
      async zone(...args) {
        const zone = await HandMadeZone.make(guard.state, ...args);
        zones.push(zone);
        return zone;
      },
    };
    beforeAll(() => {
      state = setUp();
    }, 400_000);
    tests(guard);
    afterAll(async () => {
      for (const zone of zones) await zone.end();
      if (state !== undefined) tearDown(state);
    }, 400_000);
  });
}

/** Loads and pins the programs; the state, which is the test file's to close. */
function setUp(): BpfState {
  const outcome = lsmSetup.load();
  if (!outcome.ok) throw new Error(`setup: ${outcome.failed} ${outcome.errno}\n${outcome.log}`);
  return stateOf();
}

export function stateOf(): BpfState {
  const state = openState();
  if (!("map" in state)) throw new Error(`the maps can't be opened: errno ${state.errno}`);
  return state;
}

/** Takes everything away, and says so when that does not work. */
function tearDown(state: BpfState): void {
  state.close();
  const outcome = lsmSetup.remove();
  if (!outcome.ok) throw new Error(`remove: ${outcome.failed} ${outcome.errno}`);
}

/** Denials and errors at a hook since `before`. */
export function deniedSince(state: BpfState, before: ReturnType<typeof readCounters>, hook: Hook): number {
  const now = readCounters(state)[hook];
  return (now?.deny ?? 0) - (before[hook]?.deny ?? 0);
}

/** The zone's attempt is denied with this outcome, and the denial counted and told at the hook. */
export async function expectDenied(
  zone: HandMadeZone,
  hook: Hook,
  run: () => Promise<unknown>,
  expected: unknown,
  event: Record<string, unknown> = {},
): Promise<void> {
  const before = readCounters(zone.state);
  zone.denials();
  expect(await run()).toEqual(expected);
  expect(deniedSince(zone.state, before, hook)).toBeGreaterThanOrEqual(1);
  expect(zone.denials().filter((denial) => denial.hook === hook)[0]).toMatchObject(event);
}

export { readCounters };
