import { describe, expect, test } from "bun:test";
import { viewRules } from "../../../src/run/landlock/rules.ts";
import { mountFlag, type PlanOp } from "../../../src/run/plan/contract.ts";
import type { PlannedOp } from "../../../src/run/plan/plan.ts";
import { Random } from "../policy/random.ts";

const origin = { kind: "zone", what: "test" } as const;
const planned = (op: PlanOp): PlannedOp => ({ op, origin, why: "" }) as unknown as PlannedOp;
const bind = (target: string, flags: number = mountFlag.readOnly) =>
  planned({ op: "bind", source: target, target, flags } as unknown as PlanOp);
const scratch = (target: string) => planned({ op: "scratch", target } as unknown as PlanOp);
const paths = (ops: readonly PlannedOp[], denied: readonly string[] = [], own: readonly string[] = []) =>
  viewRules(
    ops,
    denied,
    own.map((path) => ({ path, except: denied.filter((place) => place.startsWith(`${path}/`)) })),
  ).map(({ path }) => path);

describe("rules read off the mounts", () => {
  test("a read-only place below one that may be read needs no rule of its own", () => {
    expect(paths([bind("/usr"), bind("/usr/share/zoneinfo"), bind("/opt")])).toEqual(["/usr", "/opt"]);
    expect(paths([bind("/etc/ssl/certs"), bind("/etc/fonts"), bind("/etcetera")], [], ["/etc"])).toEqual(["/etcetera"]);
    expect(paths([scratch("/project"), bind("/project/.git/hooks")])).toEqual(["/project"]);
  });

  test("a place that may be written keeps its rule, wherever it is", () => {
    expect(paths([bind("/usr"), bind("/usr/cache", 0), scratch("/usr/tmp")])).toEqual([
      "/usr",
      "/usr/cache",
      "/usr/tmp",
    ]);
  });

  test("nothing rests on a rule that may not come to be, or that has holes", () => {
    expect(paths([bind("/a", mountFlag.readOnly | mountFlag.optional), bind("/a/b")])).toEqual(["/a", "/a/b"]);
    expect(paths([bind("/a"), bind("/a/b")], ["/a/secret"])).toEqual(["/a", "/a/b"]);
    expect(paths([bind("/etc/b")], ["/etc/secret"], ["/etc"])).toEqual(["/etc/b"]);
    expect(paths([bind("/a"), bind("/a")])).toEqual(["/a"]);
  });

  test("leaving rules out changes nothing of what may be read or written", () => {
    const places = ["/a", "/a/b", "/a/b/c", "/a/d", "/e", "/e/f", "/e/f/g", "/ab"];
    for (let seed = 0; seed < 2000; seed++) {
      const random = new Random(seed);
      const ops = random.list(7, () => {
        const flags = random.pick([0, mountFlag.readOnly, mountFlag.readOnly | mountFlag.optional]);
        return bind(random.pick(places), flags);
      });
      const denied = random.some(places, 0.15);
      // With a tree that covers nothing, each op by itself shows what all the rules would be.
      const whole = [
        ...new Map(ops.flatMap((op) => viewRules([op], denied)).map((rule) => [rule.path, rule])).values(),
      ];
      const kept = viewRules(ops, denied);
      const allows = (rules: typeof whole, path: string, access: string) =>
        rules.some(
          (rule) =>
            (rule.access === access || (access === "readTree" && rule.access === "writeTree")) &&
            (path === rule.path || path.startsWith(`${rule.path}/`)) &&
            !rule.except.some((place) => path === place || path.startsWith(`${place}/`)),
        );
      for (const path of places.flatMap((place) => [place, `${place}/x`])) {
        for (const access of ["readTree", "writeTree"]) {
          expect([seed, path, access, allows(kept, path, access)]).toEqual([
            seed,
            path,
            access,
            allows(whole, path, access),
          ]);
        }
      }
    }
  });
});
