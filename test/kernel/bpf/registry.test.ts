/** The maps as state: many zones at once, many one after the other, many makers, and what the dead leave. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { addressPuts } from "../../../src/bpf/address-rules.ts";
import { type MapName, maps } from "../../../src/bpf/contract.ts";
import { zonePuts } from "../../../src/bpf/zone-entry.ts";
import { unifiedMount } from "../../../src/linux/bpf/cgroup-place.ts";
import { nextKey } from "../../../src/linux/bpf/map-calls.ts";
import { putAll } from "../../../src/linux/bpf/puts.ts";
import { findZone, forgetZone, readZone } from "../../../src/linux/bpf/registry.ts";
import type { BpfState } from "../../../src/linux/bpf/state.ts";
import { sweepZones } from "../../../src/linux/bpf/sweep.ts";
import { mapRegistry } from "../../../src/linux/zones/registry.ts";
import { attemptWords, parseAnswers, probePath } from "../../support/probe.ts";
import { network, policyOf } from "./policies.ts";
import { describeGuarded } from "./programs.ts";
import { ownerNow } from "./zones.ts";

const keyBytes: Partial<Record<MapName, number>> = {
  rauha_zones: 8,
  rauha_names: 128,
  rauha_policies: 8,
  rauha_contact: 16,
  rauha_addresses: 32,
  rauha_devices: 4,
  rauha_mounts: 4,
  rauha_events: 16,
};

/** How many entries each map has that holds something of zones. */
function entries(state: BpfState): Record<string, number> {
  return Object.fromEntries(
    maps.flatMap((name) => {
      const size = keyBytes[name];
      if (size === undefined) return [];
      let count = 0;
      for (let last: Uint8Array | undefined; ; count++) {
        const next = new Uint8Array(size);
        if (nextKey(state.map(name), last, next) < 0) break;
        last = next;
      }
      return [[name, count]];
    }),
  );
}

describeGuarded("the registry", (guard) => {
  const mount = unifiedMount();
  const owner = ownerNow();
  const lists = { allowedZones: ["x", "y"], allowedEgress: ["10.0.0.0/8:443"] };
  const policy = policyOf(network(lists));
  const putsOf = (id: string, cgroup: bigint, by = owner) =>
    zonePuts(
      { id, name: id, contactName: id, cgroup, levels: [1], policy, createdMs: 1, owner: by, uid: 0 },
      addressPuts(policy.network, cgroup),
    );

  test("a thousand zones at once, each with its own decisions", async () => {
    const before = entries(guard.state);
    const zones = Array.from({ length: 1000 }, (_, index) => {
      const cgroup = join(mount, `bpf-many-${process.pid}-${index}`);
      mkdirSync(cgroup);
      const id = BigInt(statSync(cgroup).ino);
      const puts = putsOf(`many-${index}`, id);
      expect(putAll(guard.state, puts)).toBeUndefined();
      return { cgroup, id, puts, name: `many-${index}` };
    });
    expect(entries(guard.state)["rauha_zones"]).toBe(1000 + (before["rauha_zones"] ?? 0));
    for (const { id, name } of zones) expect(findZone(guard.state, name)).toBe(id);
    const inZone = (index: number, attempts: readonly string[]) => {
      const script = `echo 0 >${zones[index]?.cgroup}/cgroup.procs && exec ${probePath} "$@"`;
      return Bun.spawn(["sh", "-c", script, "sh", ...attemptWords(attempts)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
    };
    // Of every one with every one: whether the signal passes is decided by the two cgroups alone.
    const chosen = Array.from({ length: 40 }, (_, index) => index * 25 + (index % 25));
    const residents = chosen.map((index) => inZone(index, ["self", "sleep 600"]));
    for (const resident of residents) await resident.stdout.getReader().read();
    for (const [at, index] of chosen.entries()) {
      const answers = parseAnswers(
        await inZone(
          index,
          residents.map(({ pid }) => `kill ${pid} 0`),
        ).stdout.text(),
      );
      const expected = chosen.map((_, other) => (other === at ? "OK" : "EPERM"));
      expect(answers.map(({ outcome }) => outcome)).toEqual(expected);
    }
    for (const resident of residents) {
      resident.kill("SIGKILL");
      await resident.exited;
    }
    for (const { id, cgroup, puts } of zones) {
      const zone = readZone(guard.state, id);
      if (zone === undefined) throw new Error(`${cgroup} is not in the maps`);
      forgetZone(guard.state, zone, puts);
    }
    for (let tries = 0; ; tries++) {
      const left = zones.filter(({ cgroup }) => !removed(cgroup));
      if (left.length === 0) break;
      if (tries > 200) throw new Error(`${left.length} cgroups stay`);
      await Bun.sleep(20);
    }
    expect(entries(guard.state)).toEqual(before);
  }, 400_000);

  test("ten thousand zones one after the other leave nothing", () => {
    const before = entries(guard.state);
    for (let cycle = 0; cycle < 10_000; cycle++) {
      const cgroup = (7n << 48n) | BigInt(cycle);
      const puts = putsOf(`cycle-${cycle}`, cgroup);
      const problem = putAll(guard.state, puts);
      const zone = readZone(guard.state, cgroup);
      if (problem !== undefined || zone === undefined)
        throw new Error(`cycle ${cycle}: ${problem?.map} ${problem?.errno}`);
      forgetZone(guard.state, zone, puts);
    }
    expect(entries(guard.state)).toEqual(before);
  }, 400_000);

  test("eight processes make zones at once: a name is had by one at a time, and nothing stays", async () => {
    const before = entries(guard.state);
    const cycles = 200;
    const creators = Array.from({ length: 8 }, (_, number) =>
      Bun.spawn([process.execPath, `${import.meta.dir}/creator.ts`, String(number), String(cycles)], {
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
    const outcomes = await Promise.all(
      creators.map(async (child) => ({
        had: Number(await child.stdout.text()),
        stderr: await child.stderr.text(),
        code: await child.exited,
      })),
    );
    expect(outcomes.filter(({ code }) => code !== 0)).toEqual([]);
    expect(outcomes.reduce((sum, { had }) => sum + had, 0)).toBeGreaterThan(0);
    expect(entries(guard.state)).toEqual(before);
  }, 400_000);

  test("a write that fails takes back those before it", () => {
    const before = entries(guard.state);
    expect(putAll(guard.state, putsOf("taken", 11n << 48n))).toBeUndefined();
    const both = entries(guard.state);
    expect(putAll(guard.state, putsOf("taken", 12n << 48n))).toEqual({ map: "rauha_names", errno: 17 });
    expect(entries(guard.state)).toEqual(both);
    const zone = readZone(guard.state, 11n << 48n);
    if (zone !== undefined) forgetZone(guard.state, zone);
    expect(entries(guard.state)).toEqual(before);
  });

  test("the sweep takes what nobody is left of, and that alone", async () => {
    const before = entries(guard.state);
    const cgroup = join(mount, `bpf-live-${process.pid}`);
    mkdirSync(cgroup);
    const live = BigInt(statSync(cgroup).ino);
    // The process of that pid was started after the entry was made: it is another one.
    const gone = { pid: process.pid, madeNs: 1n };
    const dead = [21n, 22n, 23n].map((number) => number << 48n);
    for (const id of dead) putAll(guard.state, putsOf(`dead-${id}`, id, gone));
    putAll(guard.state, putsOf("lives", live, gone));
    const resident = Bun.spawn(["sh", "-c", `echo 0 >${cgroup}/cgroup.procs && echo in && exec sleep 600`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await resident.stdout.getReader().read();
    putAll(guard.state, putsOf("mine", 24n << 48n));
    // However far it may look, it comes to an end.
    expect(sweepZones(guard.state, undefined, mount)).toBe(3);
    expect(sweepZones(guard.state, live, mount)).toBe(0);
    expect(dead.map((id) => readZone(guard.state, id))).toEqual([undefined, undefined, undefined]);
    expect([findZone(guard.state, "lives"), findZone(guard.state, "mine")]).toEqual([live, 24n << 48n]);
    const registry = mapRegistry(guard.state);
    const listed = registry.list().map(({ id, cgroup: number }) => `${id} ${number}`);
    expect(listed.toSorted()).toEqual([`lives ${live}`, `mine ${24n << 48n}`]);
    expect(registry.find("lives")).toMatchObject({ id: "lives", cgroup: live, policyHash: policy.hash });
    expect([registry.find("nobody"), registry.sweep()]).toEqual([undefined, 0]);
    // Nobody lives there any more: the cgroup goes with the entry.
    resident.kill("SIGKILL");
    await resident.exited;
    for (let tries = 0; registry.sweep() === 0; tries++) {
      if (tries > 200) throw new Error("an empty zone of nobody stays");
      await Bun.sleep(20);
    }
    expect(existsSync(cgroup)).toBe(false);
    const mine = readZone(guard.state, 24n << 48n);
    if (mine !== undefined) forgetZone(guard.state, mine);
    expect(entries(guard.state)).toEqual(before);
  });
});

function removed(cgroup: string): boolean {
  try {
    rmdirSync(cgroup);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "ENOENT";
  }
}
