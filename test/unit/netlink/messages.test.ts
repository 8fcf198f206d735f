/** The bytes of messages, and the reading of answers. */
import { describe, expect, test } from "bun:test";
import { addAddress, addRoute } from "../../../src/run/netlink/address.ts";
import { decodeAnswers, NetlinkDecodeError } from "../../../src/run/netlink/answer.ts";
import {
  attribute,
  listAttributes,
  nest,
  readAttributes,
  textAttribute,
  u8,
  u32,
  u32Network,
} from "../../../src/run/netlink/attributes.ts";
import { addBridge, addVethPair, setLink } from "../../../src/run/netlink/link.ts";
import { encodeMessages, expectedAnswers } from "../../../src/run/netlink/message.ts";
import { addTable, transaction } from "../../../src/run/netlink/nftables/batch.ts";
import { redirectTo } from "../../../src/run/netlink/nftables/expression.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));

describe("an attribute", () => {
  test("is filled up to four bytes, which its length does not count", () => {
    expect(hex(u8(7, 1))).toBe("0500070001000000");
    expect(hex(u32(4, 1500))).toBe("08000400dc050000");
    expect(hex(u32Network(4, 1500))).toBe("08000400000005dc");
    expect(hex(textAttribute(3, "lo"))).toBe("070003006c6f0000");
    expect(hex(nest(1, [u8(2, 3)]))).toBe("0c000180" + "0500020003000000");
  });

  test("holds what it can hold, or nothing", () => {
    expect(() => u8(1, 256)).toThrow(RangeError);
    expect(() => u32(1, -1)).toThrow(RangeError);
    expect(() => u32Network(1, 0.5)).toThrow(RangeError);
    expect(() => textAttribute(1, "a\0b")).toThrow(RangeError);
    expect(() => attribute(1, new Uint8Array(0xfffc))).toThrow(RangeError);
  });

  test("is read back, the last one without its filling too", () => {
    const all = nest(1, [u8(2, 3), textAttribute(3, "x")]);
    expect(listAttributes(all)?.map(({ type }) => type)).toEqual([1]);
    const inside = readAttributes(readAttributes(all)?.get(1) ?? new Uint8Array());
    expect([...(inside?.get(3) ?? [])]).toEqual([120, 0]);
    expect([...(readAttributes(bytes("0500020003"))?.get(2) ?? [])]).toEqual([3]);
  });

  test("that is cut or says a length that can't be is not read", () => {
    for (const broken of ["05", "0500", "050002", "0300020000000000", "0900020003000000", "0000020003000000"])
      expect(listAttributes(bytes(broken))).toBeUndefined();
  });
});

describe("a message", () => {
  test("to bring lo up is struct nlmsghdr and struct ifinfomsg, numbered", () => {
    const expected = "20000000 1000 0500 07000000 00000000  00 00 0000 01000000 01000000 01000000";
    expect(hex(encodeMessages([setLink(1, { up: true })], 7))).toBe(expected.replaceAll(/\s/g, ""));
  });

  test("with an address says it twice: IFA_LOCAL and IFA_ADDRESS", () => {
    const [message] = [addAddress(2, { address: [10, 89, 0, 2], prefix: 32 })];
    expect(hex(message.body)).toBe("02200200020000000800" + "02000a5900020800" + "01000a590002");
  });

  test("with the default route has no destination", () => {
    const { body } = addRoute({ to: { address: [0, 0, 0, 0], prefix: 0 }, device: 1 });
    expect(hex(body)).toBe("0200000" + "0fe04fd01000000000800040001000000");
  });

  test("of nftables says its family, and that it is one transaction", () => {
    const all = transaction([addTable({ family: "ip", name: "t" })]);
    expect(hex(encodeMessages(all, 1))).toBe(
      "14000000" +
        "1000" +
        "0100" +
        "01000000" +
        "00000000" +
        "0000000a" +
        "1c000000" +
        "000a" +
        "0504" +
        "02000000" +
        "00000000" +
        "02000000" +
        "0600010074000000" +
        "14000000" +
        "1100" +
        "0100" +
        "03000000" +
        "00000000" +
        "0000000a",
    );
    expect(expectedAnswers(all)).toBe(1);
  });

  test("takes no name that is none, no port that is none, no hardware address that is none", () => {
    for (const name of ["", "..", "a b", "a/b", "sixteen-bytes-xx"])
      expect(() => addBridge({ name })).toThrow(RangeError);
    expect(() => setLink("eth0", { name: "eth1" })).toThrow(RangeError);
    expect(() => redirectTo(65536)).toThrow(RangeError);
    expect(() => addVethPair({ name: "a", mac: [1, 2] }, { name: "b" })).toThrow(RangeError);
  });
});

describe("an answer", () => {
  const request = "14000000 1000 0500 07000000 00000000";

  test("of 0 is the acknowledgement", () => {
    const answer = bytes(`24000000 0200 0001 07000000 00000000 00000000 ${request}`);
    expect(decodeAnswers(answer)).toEqual([{ kind: "result", sequence: 7, errno: 0, text: "", offset: undefined }]);
  });

  test("has the kernel's words and where it stumbled, after the header alone or the whole message", () => {
    const words = `${hex(textAttribute(1, "no"))} ${hex(u32(2, 24))}`;
    const capped = bytes(`34000000 0200 0003 07000000 00000000 efffffff ${request} ${words}`);
    const [first] = decodeAnswers(capped);
    expect(first).toEqual({ kind: "result", sequence: 7, errno: 17, text: "no", offset: 24 });
    const whole = bytes(
      `38000000 0200 0002 07000000 00000000 efffffff 14000000 1000 0500 07000000 00000000 01020304 ${words}`,
    );
    expect(decodeAnswers(whole)).toEqual([{ kind: "result", sequence: 7, errno: 17, text: "no", offset: 24 }]);
  });

  test("can be several, of a dump the last one says so", () => {
    const dump = bytes("14000000 1000 0200 07000000 00000000 aabbccdd  14000000 0300 0200 07000000 00000000 00000000");
    expect(decodeAnswers(dump)).toEqual([
      { kind: "item", sequence: 7, type: 16, body: bytes("aabbccdd") },
      { kind: "done", sequence: 7, errno: 0 },
    ]);
  });

  test("that is cut short is refused at every length", () => {
    const answer = bytes(`24000000 0200 0001 07000000 00000000 00000000 ${request}`);
    for (let length = 1; length < answer.length; length++)
      expect(() => decodeAnswers(answer.subarray(0, length))).toThrow(NetlinkDecodeError);
    expect(() => decodeAnswers(bytes("10000000 0200 0001 07000000 00000000"))).toThrow(NetlinkDecodeError);
  });

  test("of any bytes is read or refused, and never runs on", () => {
    let state = 12345;
    const random = () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 16;
    };
    for (let round = 0; round < 3000; round++) {
      const noise = Uint8Array.from({ length: random() % 96 }, () => random() & (round % 2 === 0 ? 0xff : 0x1f));
      if (noise.length >= 4) noise.set([noise.length, 0, 0, 0]);
      try {
        expect(decodeAnswers(noise).length).toBeLessThan(8);
      } catch (error) {
        expect(error).toBeInstanceOf(NetlinkDecodeError);
      }
    }
  });
});
