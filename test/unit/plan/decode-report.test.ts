import { describe, expect, test } from "bun:test";
import { type ReportRecord, reportRecords } from "../../../src/run/plan/contract.ts";
import { ReportDecodeError, ReportDecoder } from "../../../src/run/plan/decode-report.ts";

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};
const str = (text: string) => Buffer.concat([u32(Buffer.byteLength(text)), Buffer.from(text), Buffer.alloc(1)]);
const blob = (data: Uint8Array) => Buffer.concat([u32(data.length), data]);
const record = (id: number, ...fields: Buffer[]) => {
  const payload = Buffer.concat(fields);
  return Buffer.concat([u32(id), u32(payload.length), payload]);
};

const failed = record(reportRecords.failed.id, u32(4), u32(7), u32(2), str("openat2"), str("/näh"));
const output = record(reportRecords.output.id, u32(1), blob(Buffer.from([0, 255, 10])));
const ended = record(
  reportRecords.ended.id,
  ...[u32(9), u32(1), u64(1n), u64(2n), u64(2n ** 40n), u64(4n), u64(5n), u64(6n), u32(7), u64(8n)],
);
const stream = Buffer.concat([failed, output, ended]);
const decoded: ReportRecord[] = [
  { record: "failed", stage: 4, op: 7, errno: 2, step: "openat2", detail: "/näh" },
  { record: "output", stream: 1, data: new Uint8Array([0, 255, 10]) },
  {
    record: "ended",
    ...{ status: 9, cause: 1, user_us: 1, system_us: 2, max_rss_bytes: 2 ** 40, wall_us: 4 },
    ...{ stdout_bytes: 5, stderr_bytes: 6, pids_peak: 7, memory_peak: 8 },
  },
];

describe("a report", () => {
  test("is read in one piece", () => {
    const decoder = new ReportDecoder();
    expect(decoder.push(stream)).toEqual(decoded);
    expect(decoder.isComplete).toBe(true);
  });

  test("is read however it is cut", () => {
    for (let size = 1; size < stream.length; size++) {
      const decoder = new ReportDecoder();
      const records: ReportRecord[] = [];
      for (let at = 0; at < stream.length; at += size) records.push(...decoder.push(stream.subarray(at, at + size)));
      expect(records).toEqual(decoded);
      expect(decoder.isComplete).toBe(true);
    }
  });

  test("that breaks off is not complete", () => {
    const decoder = new ReportDecoder();
    expect(decoder.push(stream.subarray(0, stream.length - 1))).toHaveLength(2);
    expect(decoder.isComplete).toBe(false);
  });

  test("gives out copies: the buffer may be used again", () => {
    const bytes = Buffer.from(output);
    const [first] = new ReportDecoder().push(bytes);
    bytes.fill(0);
    expect(first).toEqual(decoded[1] as ReportRecord);
  });
});

describe("what is no report is refused", () => {
  test.each([
    ["an unknown record", record(99)],
    ["a payload that is too long", Buffer.concat([u32(3), u32(1 << 30)])],
    ["a field that runs over its record", record(3, u32(1), u32(9), Buffer.from("short"))],
    ["a record that is longer than its fields", record(2, u32(1), u32(1))],
    ["a record that is shorter than its fields", record(2)],
    ["a string without its end", record(1, u32(1), u32(1), u32(1), u32(1), Buffer.from("xy"), str(""))],
  ])("%s", (_, bytes) => {
    expect(() => new ReportDecoder().push(bytes)).toThrow(ReportDecodeError);
  });

  test("and random bytes never do worse than be refused", () => {
    let seed = 7;
    const random = () => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return seed >>> 8;
    };
    for (let round = 0; round < 2000; round++) {
      const bytes = Buffer.from(stream);
      for (let flips = 0; flips < 3; flips++) bytes[random() % bytes.length] = random() & 255;
      try {
        new ReportDecoder().push(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ReportDecodeError);
      }
    }
  });
});
