import { expect, test } from "bun:test";
import { coversHostIds } from "../../../src/linux/probe/id-range.ts";

test("the initial user namespace has every id", () => {
  expect(coversHostIds("         0          0 4294967295\n")).toBe(true);
});

test("a rootless container has the few that were mapped for it", () => {
  expect(coversHostIds("         0       1000          1\n         1     100000      65536\n")).toBe(false);
  expect(coversHostIds("         0      12321          1\n")).toBe(false);
  expect(coversHostIds("")).toBe(false);
});

test("a map that ends within the range is not enough", () => {
  expect(coversHostIds("0 0 1100000000\n")).toBe(false);
});
