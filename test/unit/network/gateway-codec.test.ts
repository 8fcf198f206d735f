/** The records between Rauha and its gateway. */
import { describe, expect, test } from "bun:test";
import { encodeOrder, encodeReport, GatewayDecoder } from "../../../src/run/network/gateway/codec.ts";
import {
  type GatewayReport,
  gatewayLimits,
  gatewayOrders,
  gatewayReports,
} from "../../../src/run/network/gateway/contract.ts";

const address = Uint8Array.from({ length: 16 }, (_, index) => index);
const reports: GatewayReport[] = [
  { record: "opened", connection: 0x10001, family: 6, port: 443, address },
  { record: "heard", connection: 1, side: 0, data: new Uint8Array([1, 2, 3]) },
  { record: "closed", connection: 1, error: 104, sent: 2 ** 40, received: 7 },
  { record: "noticed", data: new Uint8Array() },
  { record: "dropped", queries: 1, notices: 2 },
];

describe("reports", () => {
  test("are read back, in whatever pieces they come", () => {
    const all = new Uint8Array(reports.flatMap((report) => [...encodeReport(report)]));
    for (const size of [1, 3, 8, 64, all.length]) {
      const decoder = new GatewayDecoder();
      const read: GatewayReport[] = [];
      for (let at = 0; at < all.length; at += size) read.push(...decoder.push(all.slice(at, at + size)));
      expect(read).toEqual(reports);
    }
  });

  test.each([
    ["of an unknown kind", [99, 0, 0, 0, 0, 0, 0, 0]],
    ["too long for any", [1, 0, 0, 0, 255, 255, 255, 0]],
    ["too short for its kind", [1, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4]],
    ["with bytes that it has no place for", [4, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 9]],
  ])("%s are an error", (_, bytes) => {
    expect(() => new GatewayDecoder().push(new Uint8Array(bytes))).toThrow(/gateway/);
  });
});

test("an order is its fields in their order, little endian, and its data", () => {
  const bytes = encodeOrder({
    record: "connect",
    connection: 0x01020304,
    family: 4,
    port: 443,
    mode: 1,
    address,
    data: new Uint8Array([9]),
  });
  expect([...bytes.slice(0, 24)]).toEqual([1, 0, 0, 0, 33, 0, 0, 0, 4, 3, 2, 1, 4, 0, 0, 0, 187, 1, 0, 0, 1, 0, 0, 0]);
  expect([...bytes.slice(24)]).toEqual([...address, 9]);
});

test("an order that is too long is never sent", () => {
  const data = new Uint8Array(gatewayLimits.record);
  expect(() => encodeOrder({ record: "reply", connection: 1, data })).toThrow(/80004 bytes/);
});

test("ids are used once", () => {
  for (const table of [gatewayReports, gatewayOrders]) {
    const ids = Object.values(table).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  }
});
