import { expect, test } from "bun:test";
import { byteString, nameBytes } from "../../../src/linux/tree/names.ts";
import { bytesOf, equalBytes, fromText, toText } from "../../../src/workspace/bytes.ts";

const everyByte = String.fromCharCode(...Array.from({ length: 255 }, (_, index) => index + 1));

test("names are bytes, whatever their length and bytes", () => {
  for (const name of ["a", everyByte.slice(0, 150), everyByte.slice(120), everyByte, everyByte.repeat(20)]) {
    const bytes = nameBytes(name);
    expect(bytes.length).toBe(name.length + 1);
    expect([...bytes]).toEqual([...Buffer.from(name, "latin1"), 0]);
    expect(byteString(bytes)).toBe(`${name}\0`);
  }
  expect(() => nameBytes("a\0b")).toThrow("errno 22");
});

test("a piece of a larger buffer is turned by itself", () => {
  const whole = new Uint8Array(1000).map((_, index) => index);
  for (const [start, end] of [
    [3, 9],
    [100, 900],
  ] as const)
    expect(byteString(whole.subarray(start, end))).toBe(Buffer.from(whole.slice(start, end)).toString("latin1"));
});

test("names are told as text, and whether that is exact", () => {
  expect(toText("plain name.txt")).toEqual({ text: "plain name.txt", exact: true });
  expect(toText(fromText("Grüße ☃"))).toEqual({ text: "Grüße ☃", exact: true });
  expect(toText("\u007f")).toEqual({ text: "\u007f", exact: true });
  expect(toText("a\u0080")).toEqual({ text: "a\ufffd", exact: false });
  expect(toText("\u00ff")).toEqual({ text: "\ufffd", exact: false });
});

test("bytes are equal when all of them are", () => {
  for (const length of [0, 1, 63, 64, 65, 5000]) {
    const bytes = new Uint8Array(length).fill(0x78);
    expect(equalBytes(bytes, bytes.slice()), `${length}`).toBe(true);
    expect(equalBytes(bytes, bytesOf("x".repeat(length + 1))), `${length}`).toBe(false);
    for (const index of [0, length >> 1, length - 1]) {
      if (index < 0 || length === 0) continue;
      const other = bytes.slice();
      other[index] = 0x79;
      expect(equalBytes(bytes, other), `${length}, ${index}`).toBe(false);
    }
  }
});
