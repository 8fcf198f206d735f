/**
 * A process that makes, reads and sweeps records of zones in the runtime directory: `bun record-tool.ts VERB ...`, one JSON value on stdout.
 *
 *   list | find NAME | sweep       the registry
 *   hold COUNT                     makes so many records, says "held", and keeps them until stdin ends
 *   cycle NUMBER CYCLES            makes and takes away one of its own and the contested `shared`, again and again; how often it had that
 */
import { openZoneDirectory } from "../../src/linux/zones/directory.ts";
import { fileRegistry } from "../../src/linux/zones/files.ts";
import { zoneNotes } from "../../src/linux/zones/note.ts";
import type { Plan } from "../../src/run/plan/plan.ts";
import { shippedPolicies } from "../../src/run/policy/shipped.gen.ts";
import type { ZoneRegistry } from "../../src/run/zone-registry.ts";

const [verb = "", first = "", second = ""] = process.argv.slice(2);
const policy = shippedPolicies["task"] ?? fail("no policy task");

function fail(what: string): never {
  throw new Error(`record-tool ${verb}: ${what}`);
}

function open(): ZoneRegistry | { readonly problem: string } {
  const directory = openZoneDirectory(true);
  return "problem" in directory ? directory : fileRegistry(directory);
}

function registry(): ZoneRegistry {
  const opened = open();
  return "problem" in opened ? fail(opened.problem) : opened;
}

/** Of a plan only this is looked at. */
const planOf = (zoneId: string) => ({ zoneId, ops: [] }) as unknown as Plan;

function make(id: string): { remove(): void } | { readonly problem: string } {
  return zoneNotes.note(planOf(id), policy, process.pid);
}

function cycle(number: number, cycles: number): number {
  let had = 0;
  for (let round = 0; round < cycles; round++) {
    const own = `own-${number}-${round}`;
    const mine = make(own);
    if ("problem" in mine) fail(mine.problem);
    const shared = make("shared");
    if (!("problem" in shared)) had++;
    else if (!shared.problem.endsWith("EEXIST")) fail(shared.problem);
    if (registry().find(own)?.id !== own) fail("my record is not found");
    if (!("problem" in shared)) {
      if (registry().find("shared") === undefined) fail("my shared record is not found");
      shared.remove();
    }
    mine.remove();
    if (registry().find(own) !== undefined) fail("something stayed");
  }
  return had;
}

const print = (value: unknown) =>
  console.log(JSON.stringify(value ?? null, (_, part) => (typeof part === "bigint" ? String(part) : part)));

if (verb === "list") {
  const opened = open();
  print("problem" in opened ? opened : opened.list());
} else if (verb === "find") print(registry().find(first));
else if (verb === "sweep") print(registry().sweep());
else if (verb === "cycle") print(cycle(Number(first), Number(second)));
else if (verb === "hold") {
  for (let number = 0; number < Number(first); number++) {
    const made = make(`held-${number}`);
    if ("problem" in made) fail(made.problem);
  }
  print("held");
  await Bun.stdin.text();
} else fail("no such verb");
