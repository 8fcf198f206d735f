import { describe, expect, test } from "bun:test";
import { hasId, type IdRange, lastId, mapAround, mapKey, mapsFor, parseMapKey } from "../../../src/run/ids/zone-ids.ts";

const own = 1000;
const host = (lines: ReturnType<typeof mapAround>, id: number): number | undefined => {
  const line = lines.find(({ inside, count }) => id >= inside && id < inside + count);
  return line === undefined ? undefined : line.outside + id - line.inside;
};

describe("the map around the caller's own id", () => {
  test("root inside is the caller, the ranges follow, as podman and buildah have it", () => {
    expect(mapAround(own, 0, [{ first: 100_000, count: 65_536 }])).toEqual([
      { inside: 0, outside: own, count: 1 },
      { inside: 1, outside: 100_000, count: 65_536 },
    ]);
  });

  test("another user's id is the caller, and takes nobody's place: as keep-id has it", () => {
    expect(mapAround(own, 999, [{ first: 100_000, count: 65_536 }])).toEqual([
      { inside: 0, outside: 100_000, count: 999 },
      { inside: 999, outside: own, count: 1 },
      { inside: 1000, outside: 100_999, count: 64_537 },
    ]);
  });

  test("between two ranges, behind the last one, and far above", () => {
    const ranges = [
      { first: 500, count: 3 },
      { first: 900, count: 2 },
    ];
    expect(mapAround(own, 3, ranges)).toEqual([
      { inside: 0, outside: 500, count: 3 },
      { inside: 3, outside: own, count: 1 },
      { inside: 4, outside: 900, count: 2 },
    ]);
    expect(mapAround(own, 5, ranges).at(-1)).toEqual({ inside: 5, outside: own, count: 1 });
    const far = mapAround(own, 70, ranges);
    expect(far.at(-1)).toEqual({ inside: 70, outside: own, count: 1 });
    expect([lastId(far), hasId(far, 70), hasId(far, 69), hasId(far, 4)]).toEqual([4, true, false, true]);
    expect(mapAround(own, 0, [])).toEqual([{ inside: 0, outside: own, count: 1 }]);
  });

  test("whatever the ranges: every id of theirs once, in order, the caller's once, no line overlaps", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return seed % below;
    };
    for (let round = 0; round < 500; round++) {
      const ranges: IdRange[] = [];
      for (let first = 100_000; ranges.length < random(5); ) {
        const count = 1 + random(6);
        ranges.push({ first, count });
        first += count + random(3);
      }
      const at = random(20);
      const lines = mapAround(own, at, ranges);
      const expected = ranges.flatMap(({ first, count }) => Array.from({ length: count }, (_, index) => first + index));
      const seen = Array.from({ length: 60 }, (_, id) => id).flatMap((id) =>
        id === at ? [] : (host(lines, id) ?? []),
      );
      expect(seen).toEqual(expected);
      expect(host(lines, at)).toBe(own);
      const inside = lines.flatMap((line) => Array.from({ length: line.count }, (_, index) => line.inside + index));
      expect(new Set(inside).size).toBe(inside.length);
    }
  });
});

describe("the key of a map", () => {
  const range = [{ first: 100_000, count: 65_536 }];
  const maps = mapsFor({ uid: 1, gid: 2, uids: range, gids: range, newuidmap: "/a", newgidmap: "/b" }, 999, 0);

  test("tells maps apart, knows nothing of the programs, and can be read again", () => {
    const key = mapKey(maps);
    expect(key).toBe("0:100000:999,999:1:1,1000:100999:64537;0:2:1,1:100000:65536");
    expect(parseMapKey(`${key}\n`)).toEqual({ uid: maps.uid, gid: maps.gid });
    expect(
      mapKey(mapsFor({ uid: 1, gid: 2, uids: range, gids: range, newuidmap: "/x", newgidmap: "/y" }, 999, 0)),
    ).toBe(key);
    expect(mapKey({ ...maps, uid: mapAround(1, 998, range) })).not.toBe(key);
  });

  test.each([
    "",
    ";",
    "0:1:1",
    "0:1:1;",
    "0:1:1;0:1",
    "0:1:0;0:1:1",
    "0:1:1;0:1:1;0:1:1",
    "-1:1:1;0:1:1",
    "0:1:1:1;0:1:1",
    "a:1:1;0:1:1",
  ])("%j is none", (text) => expect(parseMapKey(text)).toBeUndefined());
});
