import { describe, expect, test } from "bun:test";
import { PaceWatch, slowestPace } from "../../../src/image/registry/pace.ts";

const pace = { bytes: 600, ms: 1000 };

describe("the slowest pace of a transfer", () => {
  test("is judged at the end of each stretch, and not before", () => {
    const watch = new PaceWatch(pace);
    for (let i = 0; i < 9; i++) expect(watch.add(1, 100)).toBeUndefined();
    expect(watch.add(1, 100)).toEqual({ bytes: 10, ms: 1000 });
  });

  test("exactly so much is enough, a byte less is not", () => {
    expect(new PaceWatch(pace).add(600, 1000)).toBeUndefined();
    expect(new PaceWatch(pace).add(599, 1000)).toEqual({ bytes: 599, ms: 1000 });
  });

  test("a good stretch excuses no bad one after it", () => {
    const watch = new PaceWatch(pace);
    expect(watch.add(1_000_000, 1000)).toBeUndefined();
    expect(watch.add(599, 1000)).toEqual({ bytes: 599, ms: 1000 });
  });

  test("a wait that is longer than a stretch is judged as a whole", () => {
    expect(new PaceWatch(pace).add(1199, 2000)).toEqual({ bytes: 1199, ms: 2000 });
    expect(new PaceWatch(pace).add(1200, 2000)).toBeUndefined();
  });

  test("time that passes elsewhere doesn't count", () => {
    const watch = new PaceWatch(pace);
    for (let i = 0; i < 1000; i++) expect(watch.add(1, 0)).toBeUndefined();
  });

  test("is 1 KiB/s for a minute", () => expect(slowestPace.bytes / (slowestPace.ms / 1000)).toBe(1024));
});
