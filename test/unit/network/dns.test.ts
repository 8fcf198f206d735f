/** DNS messages: what programs of the zone ask, what the host's resolvers answer. */
import { describe, expect, test } from "bun:test";
import { readAnswer } from "../../../src/run/network/dns/answer.ts";
import { addressReply, emptyReply, readQuery, writeQuery } from "../../../src/run/network/dns/query.ts";
import { dnsType, readName, writeName } from "../../../src/run/network/dns/wire.ts";
import { parseAddress } from "../../../src/run/policy/address.ts";

const ask = (name: string, type: number = dnsType.A): Uint8Array => writeQuery(0x1234, name, type);

function query(name: string, type?: number) {
  const read = readQuery(ask(name, type));
  if (!read.ok) throw new Error("not a query");
  return read.query;
}

/** An answer made by hand: records as owner, type, ttl, data. */
function answer(
  name: string,
  records: readonly (readonly [string, number, number, readonly number[]])[],
  { id = 0x1234, type = dnsType.A as number, code = 0 } = {},
): Uint8Array {
  const body = records.flatMap(([owner, kind, ttl, data]) => [
    ...writeName(owner),
    ...[kind >> 8, kind & 255, 0, 1, 0, 0, ttl >> 8, ttl & 255, data.length >> 8, data.length & 255],
    ...data,
  ]);
  const head = [id >> 8, id & 255, 0x81, 0x80 | code, 0, 1, records.length >> 8, records.length & 255, 0, 0, 0, 0];
  return new Uint8Array([...head, ...writeName(name), type >> 8, type & 255, 0, 1, ...body]);
}

describe("a query", () => {
  test("is read: name in lower case, type, EDNS size", () => {
    expect(query("WWW.Example.org")).toMatchObject({
      id: 0x1234,
      name: "www.example.org",
      type: 1,
      recursion: true,
      payload: 1232,
    });
  });

  test("keeps its letters in the answer", () => {
    const reply = emptyReply(query("WwW.eXample.org"), 3);
    expect(new TextDecoder("latin1").decode(reply)).toContain("WwW");
    expect(reply[3]).toBe(0x83);
  });

  test.each([
    ["an answer", (bytes: Uint8Array) => (bytes[2] = 0x81), undefined],
    ["another operation", (bytes: Uint8Array) => (bytes[2] = 0x28), 4],
    ["two questions", (bytes: Uint8Array) => (bytes[5] = 2), 1],
    ["a name that points forward", (bytes: Uint8Array) => bytes.set([0xc0, 0x20], 12), 1],
    ["a name that points at itself", (bytes: Uint8Array) => bytes.set([0xc0, 12], 12), 1],
    ["a label of 64", (bytes: Uint8Array) => (bytes[12] = 64), 1],
    ["another class", (bytes: Uint8Array) => (bytes[12 + 13 + 3] = 3), 4],
  ])("that is %s gets no name looked up", (_, spoil, code) => {
    const bytes = ask("example.org");
    spoil(bytes);
    const read = readQuery(bytes);
    expect(read.ok).toBe(false);
    const reply = read.ok ? undefined : read.reply;
    expect(reply === undefined ? undefined : (reply[3] ?? 0) & 15).toBe(code as never);
  });

  test("cut anywhere is refused and never read past its end", () => {
    const bytes = ask("example.org");
    for (let end = 0; end < 12 + 13 + 4; end++) expect(readQuery(bytes.slice(0, end)).ok).toBe(false);
  });
});

describe("an answer of ours", () => {
  const four = [1, 2, 3, 4].map((n) => [192, 0, 2, n]);

  test("is read back by the reader of answers", () => {
    const reply = addressReply(query("example.org"), four, 60);
    expect(readAnswer(reply, 0x1234, "example.org", 1)).toEqual({
      state: "answered",
      addresses: four,
      ttl: 60,
      continueAt: undefined,
    });
  });

  test("that does not fit is cut and says so", () => {
    const many = Array.from({ length: 200 }, (_, n) => [192, 0, 2, n]);
    const reply = addressReply(query("example.org"), many, 60, 0, 512);
    expect(reply.length).toBeLessThanOrEqual(512);
    expect((reply[2] ?? 0) & 2).toBe(2);
    expect(addressReply(query("example.org"), many, 60, 0, 65_535)[2]).toBe(0x81);
  });
});

describe("an answer of the resolver's", () => {
  test("with a chain of aliases gives its addresses, and the least TTL", () => {
    const reply = answer("a.example", [
      ["a.example", 5, 300, writeName("b.example")],
      ["b.example", 5, 20, writeName("c.example")],
      ["c.example", 1, 100, [192, 0, 2, 1]],
    ]);
    expect(readAnswer(reply, 0x1234, "a.example", 1)).toMatchObject({ addresses: [[192, 0, 2, 1]], ttl: 20 });
  });

  test("says where a chain goes on", () => {
    const reply = answer("a.example", [["a.example", 5, 300, writeName("b.example")]]);
    expect(readAnswer(reply, 0x1234, "a.example", 1)).toMatchObject({ addresses: [], continueAt: "b.example" });
  });

  test("with addresses of other names gives none of them", () => {
    const reply = answer("a.example", [
      ["evil.example", 1, 300, [192, 0, 2, 66]],
      ["b.example", 5, 300, writeName("a.example")],
    ]);
    expect(readAnswer(reply, 0x1234, "a.example", 1)).toMatchObject({ addresses: [], continueAt: undefined });
  });

  test("whose aliases go round ends", () => {
    const reply = answer("a.example", [
      ["a.example", 5, 300, writeName("b.example")],
      ["b.example", 5, 300, writeName("a.example")],
    ]);
    expect(readAnswer(reply, 0x1234, "a.example", 1)).toMatchObject({ state: "answered", addresses: [] });
  });

  test.each([
    ["id", answer("a.example", [], { id: 0x4321 })],
    ["name", answer("b.example", [])],
    ["type", answer("a.example", [], { type: 28 })],
    ["direction", ask("a.example")],
  ])("with another %s is a stray", (_, reply) => {
    expect(readAnswer(reply, 0x1234, "a.example", 1)).toEqual({ state: "stray" });
  });

  test("of failure has its code", () => {
    expect(readAnswer(answer("a.example", [], { code: 3 }), 0x1234, "a.example", 1)).toEqual({
      state: "failed",
      code: 3,
    });
  });

  test("with version 6 addresses", () => {
    const six = [...(parseAddress("2001:db8::1") ?? [])];
    const reply = answer("a.example", [["a.example", 28, 9, six]], { type: 28 });
    expect(readAnswer(reply, 0x1234, "a.example", 28)).toMatchObject({ addresses: [six], ttl: 9 });
  });
});

test("names are written and read back, and compressed ones followed", () => {
  const bytes = new Uint8Array([...writeName("www.example.org"), 3, 102, 116, 112, 0xc0, 4]);
  expect(readName(bytes, 0)).toEqual({ name: "www.example.org", next: 17 });
  expect(readName(bytes, 17)).toEqual({ name: "ftp.example.org", next: 23 });
});
