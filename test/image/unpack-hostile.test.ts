/** The unpacking program without its zone: a hostile archive never gets past its own checks. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import type { UnpackLimits } from "../../src/image/unpack/limits.ts";
import { LayerRefusal } from "../../src/image/unpack/refusal.ts";
import { makeFolder } from "../support/folders.ts";
import { fingerprint } from "../support/tree.ts";
import { hostileLayers } from "./hostile-layers.ts";
import { tarOf } from "./tar-builder.ts";
import { file, unpack, unpackLimits } from "./unpacking.ts";

describe("a hostile archive is refused with its entry's name, and nothing outside changes", () => {
  const outside = makeFolder("outside");
  const before = fingerprint(outside);
  test.each(hostileLayers)("$trick", ({ archive, entry, reason }) => {
    let refusal: unknown;
    try {
      unpack(archive);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(LayerRefusal);
    const { reason: said, entry: named } = refusal as LayerRefusal;
    expect(said).toMatch(reason);
    if (entry !== undefined) expect(named).toBe(entry);
    expect(fingerprint(outside)).toEqual(before);
    expect(readdirSync("/tmp").filter((name) => name.includes("rauha-victim"))).toEqual([]);
  });

  test.each(hostileLayers.slice(0, 30))("$trick, a byte at a time", ({ archive, reason }) => {
    expect(() => unpack(archive.subarray(0, 20_000), unpackLimits, 1)).toThrow();
    expect(() => unpack(archive, unpackLimits, 511)).toThrow(reason);
  });
});

describe("bombs", () => {
  const small: UnpackLimits = { ...unpackLimits, entries: 10, fileBytes: 5000 };
  const files = (count: number) => Array.from({ length: count }, (_, index) => file(`f${index}`));

  test("as many entries as allowed, and no more", () => {
    expect(unpack(tarOf(files(10)), small).summary.entries).toBe(10);
    expect(() => unpack(tarOf(files(11)), small)).toThrow("f10: the archive has more than 10 entries");
  });

  test("a file as large as allowed, and no larger", () => {
    expect(unpack(tarOf([file("f", "x".repeat(5000))]), small).summary.bytes).toBe(5000);
    expect(() => unpack(tarOf([file("f", "x".repeat(5001))]), small)).toThrow("f: it is larger than 5000 bytes");
  });

  test("a claim to be larger than that is refused before a byte is written", () => {
    const claim = file("f", "", { sizeField: `\x80${"\0".repeat(5)}\x01${"\0".repeat(5)}` });
    expect(() => unpack(tarOf([claim]))).toThrow(/larger than/);
  });
});
