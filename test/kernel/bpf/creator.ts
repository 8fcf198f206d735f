/**
 * One of several processes that make and take away zones at the same time: `bun creator.ts NUMBER CYCLES`. All of them want the name
 * "shared" as well as one of their own; prints how often it was had.
 */
import { zonePuts } from "../../../src/bpf/zone-entry.ts";
import { putAll } from "../../../src/linux/bpf/puts.ts";
import { findZone, forgetZone, readZone } from "../../../src/linux/bpf/registry.ts";
import { errno } from "../../../src/linux/ffi.ts";
import { policyOf } from "./policies.ts";
import { stateOf } from "./programs.ts";
import { ownerNow } from "./zones.ts";

const EEXIST = 17;
const [number = 0, cycles = 0] = process.argv.slice(2).map(Number);
const state = stateOf();
const policy = policyOf();
const owner = ownerNow();
let had = 0;

function fail(what: string): never {
  throw new Error(`creator ${number}: ${what} (ENOENT is ${errno.ENOENT})`);
}

for (let cycle = 0; cycle < cycles; cycle++) {
  // No cgroup has such an id: these zones have no processes.
  const cgroup = (BigInt(number + 1) << 48n) | BigInt(cycle);
  const id = `own-${number}-${cycle}`;
  const puts = (name: string) =>
    zonePuts({ id, name, contactName: name, cgroup, levels: [1], policy, createdMs: 1, owner, uid: 0 });
  const shared = puts("shared");
  const problem = putAll(state, shared);
  if (problem !== undefined && problem.errno !== EEXIST) fail(`${problem.map}: ${problem.errno}`);
  const made = problem === undefined ? shared : puts(id);
  if (problem === undefined) {
    had++;
    if (findZone(state, "shared") !== cgroup) fail("another zone has my name");
  } else {
    if (readZone(state, cgroup) !== undefined) fail("a refused zone left its record");
    const second = putAll(state, made);
    if (second !== undefined) fail(`${second.map}: ${second.errno}`);
  }
  if (findZone(state, id) !== cgroup) fail("my id leads elsewhere");
  const zone = readZone(state, cgroup) ?? fail("my record is gone");
  forgetZone(state, zone, made);
  if (findZone(state, id) !== undefined || readZone(state, cgroup) !== undefined) fail("something stayed");
}
console.log(had);
