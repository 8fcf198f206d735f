import { describe, expect, test } from "bun:test";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../../src/run/units.ts";
import { Random } from "./random.ts";

describe("sizes", () => {
  test.each([
    ["0", 0],
    ["1", 1],
    ["1024", 1024],
    ["007", 7],
    ["1B", 1],
    ["1b", 1],
    ["512Ki", 524288],
    ["512KiB", 524288],
    ["512K", 524288],
    ["512k", 524288],
    ["512kb", 524288],
    ["512M", 536870912],
    ["4Gi", 4294967296],
    ["4GIB", 4294967296],
    ["2T", 2199023255552],
    ["1.5Gi", 1610612736],
    ["0.5K", 512],
    ["0.1K", 102],
    ["1.9", 1],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each([
    "",
    " ",
    "Gi",
    "i",
    "1i",
    "1iB",
    "1 Gi",
    " 1Gi",
    "1Gi ",
    "-1",
    "+1",
    "1e3",
    "1_000",
    "1,5G",
    ".5G",
    "1.",
    "1.5.2G",
    "1P",
    "1Gib2",
    "0x10",
    "4G4",
    "unlimited",
    "9007199254740992",
    "99999999999T",
    "111111111111111111111",
    "١Gi",
    "1Gi\n",
  ])("%p is no size", (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  test.each([
    [0, "0"],
    [1, "1"],
    [1000, "1000"],
    [1024, "1Ki"],
    [1536 * 1024 ** 2, "1536Mi"],
    [4 * 1024 ** 3, "4Gi"],
    [5 * 1024 ** 5, "5120Ti"],
  ])("%d bytes are written %s", (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  test("what is written is read back", () => {
    const random = new Random(1);
    for (let i = 0; i < 2000; i++) {
      const bytes = Math.floor(random.next() * 2 ** random.int(0, 53));
      expect(parseSize(formatSize(bytes))).toBe(bytes);
    }
  });
});

describe("durations", () => {
  test.each([
    ["0", 0],
    ["30", 30_000],
    ["30s", 30_000],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["2d", 172_800_000],
    ["500ms", 500],
    ["1h30m", 5_400_000],
    ["1d2h3m4s5ms", 93_784_005],
    ["90m", 5_400_000],
    ["1.5h", 5_400_000],
    ["0.5", 500],
    ["1.1", 1100],
    ["0s", 0],
  ])("%s is %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    "",
    "s",
    "1 h",
    "-1",
    "1h1h",
    "30m1h",
    "1m30",
    "1w",
    "1H",
    "1e3",
    "1,5h",
    ".5s",
    "1.s",
    "5 m",
    "1h ",
    "infinity",
    "9007199254740992",
    "99999999999d",
    "1h\n",
  ])("%p is no duration", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test("a time too short to count is not for ever", () => {
    expect(parseDuration("0.0001")).toBe(1);
    expect(parseDuration("0.1ms")).toBe(1);
    expect(parseDuration("0.0ms")).toBe(0);
  });

  test.each([
    [0, "0"],
    [1, "1ms"],
    [1000, "1s"],
    [90_000, "1m30s"],
    [3_600_000, "1h"],
    [5_400_000, "1h30m"],
    [93_784_005, "1d2h3m4s5ms"],
  ])("%d ms are written %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test("what is written is read back", () => {
    const random = new Random(2);
    for (let i = 0; i < 2000; i++) {
      const ms = Math.floor(random.next() * 2 ** random.int(0, 50));
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }
  });
});
