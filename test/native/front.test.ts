/** The native front writes as JavaScript does: strings, times, numbers, hashes; and reads control files as the result's projection does. */
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { Random } from "../unit/policy/random.ts";
import { type Asked, askFront, word } from "./front.ts";

const encoder = new TextEncoder();
const random = new Random(7);
const bytesOf = (size: number, most = 255) => Uint8Array.from({ length: size }, () => random.int(0, most));
const all = (question: Asked["question"], payloads: readonly Uint8Array[]) =>
  askFront(payloads.map((payload) => ({ question, payload })));

/** What JavaScript takes for UTF-8. */
function isText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const character = () => {
  const code = random.pick([random.int(0, 0x7f), random.int(0, 0x7ff), random.int(0, 0xffff), random.int(0, 0x10ffff)]);
  return code >= 0xd800 && code < 0xe000 ? "\u2028" : String.fromCodePoint(code);
};

describe("strings", () => {
  test("are what JSON.stringify makes of them", async () => {
    const each = Array.from({ length: 0x300 }, (_, code) => String.fromCodePoint(code));
    const edges = [
      "",
      "\u2028\u2029\ufeff\ufffe\uffff",
      "\u{10ffff}\u{10000}\ud7ff\ue000",
      '"\\"\\/',
      "\u007f\u0080\u009f",
    ];
    const texts = [...each, ...edges, ...Array.from({ length: 500 }, () => random.list(60, character).join(""))];
    const answers = await all(
      "json",
      texts.map((text) => encoder.encode(text)),
    );
    expect(answers.map((answer) => `"${answer.toString()}"`)).toEqual(texts.map((text) => JSON.stringify(text)));
  });

  test("are UTF-8, or not, as TextDecoder has it", async () => {
    const pairs = Array.from({ length: 0x10000 }, (_, code) => Uint8Array.of(code >> 8, code & 0xff));
    const edge = [0, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed];
    const edges = [...edge, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff];
    const threes = edges.flatMap((a) => edges.flatMap((b) => edges.map((c) => Uint8Array.of(a, b, c))));
    const fours = [0xf0, 0xf1, 0xf4, 0xf5, 0xe2].flatMap((a) => threes.map((rest) => Uint8Array.of(a, ...rest)));
    const broken = Array.from({ length: 3000 }, () => {
      const bytes = encoder.encode(random.list(12, character).join(""));
      if (bytes.length > 0) bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
      return random.chance(0.5) ? bytes : bytes.subarray(0, random.int(0, bytes.length));
    });
    const inputs = [new Uint8Array(), ...pairs, ...threes, ...fours, ...broken];
    const answers = await all("utf8", inputs);
    const wrong = inputs.filter((bytes, index) => (answers[index]?.[0] === 1) !== isText(bytes));
    expect(wrong.map((bytes) => bytes.toHex())).toEqual([]);
  });
});

describe("numbers", () => {
  test("times are toISOString's, from 1970 to 9999", async () => {
    const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
    const turns = Array.from({ length: 8030 }, (_, index) => Date.UTC(1970 + index, 0, 1));
    const leaps = turns.map((_, index) => Date.UTC(1970 + index, 1, 29));
    const around = [...turns, ...leaps].flatMap((time) => [time - 1, time, time + 86_400_000 - 1]);
    const some = Array.from({ length: 5000 }, () => Math.floor(random.next() * last));
    const times = [0, 999, last, ...around, ...some].filter((time) => time >= 0 && time <= last);
    const answers = await all("time", times.map(word));
    expect(answers.map(String)).toEqual(times.map((time) => new Date(time).toISOString()));
  });

  test("are written in decimal", async () => {
    const powers = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit));
    const numbers = [0n, 9n, 10n, (1n << 64n) - 1n, ...powers, ...powers.map((power) => power - 1n)];
    expect((await all("number", numbers.map(word))).map(String)).toEqual(numbers.map(String));
  });

  test("of a control file are taken if they are whole ones that JavaScript counts up to", async () => {
    const good = ["0", "0\n", "1\n", "123456789\n", "007\n", "9007199254740991\n"];
    const bad = [
      "",
      "\n",
      "max\n",
      "-1\n",
      "1 \n",
      " 1",
      "1\n\n",
      "1.5",
      "1e3",
      "9007199254740992",
      "99999999999999999999",
      "1\0",
    ];
    const answers = await all(
      "parse",
      [...good, ...bad].map((text) => encoder.encode(text)),
    );
    const taken = answers.map((answer) => (answer.length === 0 ? null : Number(answer.readBigUInt64LE())));
    expect(taken).toEqual([...good.map(Number), ...bad.map(() => null)]);
  });
});

test("hashes are SHA-256, in whatever pieces they are made", async () => {
  const inputs = [
    ...Array.from({ length: 200 }, (_, size) => bytesOf(size)),
    bytesOf(100_000),
    new Uint8Array(1 << 20),
  ];
  const digests = inputs.map((input) => createHash("sha256").update(input).digest("hex"));
  expect((await all("sha256", inputs)).map(String)).toEqual(digests);
});

describe("control files", () => {
  test("tell of processes killed for memory", async () => {
    const none = [
      "",
      "oom 5\n",
      "low 0\noom_kill 0\n",
      "oom_kill 0",
      "oom_kill 0\noom_group_kill 3\n",
      "under_oom_kill 4\n",
    ];
    const some = ["oom_kill 1\n", "low 0\noom_kill 10", "oom_kill_disable 0\nunder_oom 0\noom_kill 01\n", "oom_kill x"];
    const answers = await all(
      "oom",
      [...none, ...some].map((text) => encoder.encode(text)),
    );
    expect(answers.map((answer) => answer[0])).toEqual([...none.map(() => 0), ...some.map(() => 1)]);
  });

  test("tell what was read and written, of all devices together", async () => {
    const line = () =>
      `${random.int(1, 259)}:${random.int(0, 99)} rbytes=${random.int(0, 1e9)} wbytes=${random.int(0, 1e9)} rios=1 xrbytes=7\n`;
    const texts = ["", "8:0 rios=1\n", ...Array.from({ length: 200 }, () => random.list(4, line).join(""))];
    const sum = (text: string, key: string) =>
      [...text.matchAll(new RegExp(`(?<=^|[ \n])${key}=(\\d+)`, "g"))].reduce(
        (total, [, digits]) => total + Number(digits),
        0,
      );
    const answers = await all(
      "io",
      texts.map((text) => encoder.encode(text)),
    );
    expect(answers.map((answer) => [answer.readBigUInt64LE(0), answer.readBigUInt64LE(8)].map(Number))).toEqual(
      texts.map((text) => [sum(text, "rbytes"), sum(text, "wbytes")]),
    );
    const bad = ["8:0 rbytes=\n", "8:0 rbytes=x wbytes=1\n", "8:0 rbytes=1 wbytes=-1", "rbytes=99999999999999999"];
    expect(
      (
        await all(
          "io",
          bad.map((text) => encoder.encode(text)),
        )
      ).map(({ length }) => length),
    ).toEqual([0, 0, 0, 0]);
  });
});
