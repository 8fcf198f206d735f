import { describe, expect, test } from "bun:test";
import { type FieldSpec, hooks, type RecordName, reasons, records } from "../../../src/bpf/contract.ts";
import {
  bytesText,
  decodeRecord,
  encodeRecord,
  fieldBytes,
  fieldOffset,
  recordBytes,
  textBytes,
} from "../../../src/bpf/record.ts";

const names = Object.keys(records) as RecordName[];

/** A value for each field that tells it from its neighbours. */
function sample(name: RecordName): Record<string, number | bigint | Uint8Array> {
  return Object.fromEntries(
    Object.entries<FieldSpec>(records[name]).map(([field, spec], index) => {
      if (spec === "u64") return [field, 0xfedc_ba98_7654_3210n + BigInt(index)];
      if (spec === "u32") return [field, 0xfeed_0000 + index];
      if (spec === "u16") return [field, 0xfe00 + index];
      return [field, new Uint8Array(spec.bytes).fill(index + 1)];
    }),
  );
}

describe("records", () => {
  for (const name of names)
    test(`${name} reads back as it was written`, () => {
      const values = sample(name);
      const bytes = encodeRecord(name, values as never);
      expect(bytes.length).toBe(recordBytes(name));
      expect(decodeRecord(name, bytes) as unknown).toEqual(values);
    });

  test("fields lie one after the other, little endian", () => {
    const bytes = encodeRecord("policy", { capabilities: 0x0102n, flags: 3 });
    expect([...bytes]).toEqual([2, 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    expect(fieldOffset("policy", "flags")).toBe(8);
  });

  test("what is left out is zero", () => {
    expect(encodeRecord("zone", {}).every((byte) => byte === 0)).toBe(true);
  });

  test("text that does not fit is an error, never cut", () => {
    expect(() => encodeRecord("zone", { id: textBytes("x".repeat(49)) })).toThrow("zone.id: 49 bytes do not fit");
    expect(bytesText(decodeRecord("zone", encodeRecord("zone", { id: textBytes("x".repeat(48)) })).id)).toHaveLength(
      48,
    );
  });

  test("too few bytes are an error", () => {
    expect(() => decodeRecord("event", new Uint8Array(recordBytes("event") - 1))).toThrow("event");
  });

  test("text ends at its first NUL", () => {
    expect(bytesText(Uint8Array.of(97, 98, 0, 99))).toBe("ab");
    expect(bytesText(Uint8Array.of(97, 98))).toBe("ab");
  });
});

describe("the contract with the programs", () => {
  const header = () => Bun.file(`${import.meta.dir}/../../../native/bpf/contract.gen.h`).text();

  test("has the size of every record in C too", async () => {
    const text = await header();
    for (const name of names)
      expect(text).toContain(`_Static_assert(sizeof(struct ${name}_record) == ${recordBytes(name)}, "");`);
  });

  test("numbers hooks and reasons as C does", async () => {
    const text = await header();
    hooks.forEach((hook, index) => {
      expect(text).toContain(`\tHOOK_${hook.toUpperCase()} = ${index},\n`);
    });
    reasons.forEach((reason, index) => {
      expect(text).toContain(`\tWHY_${reason.toUpperCase()} = ${index},\n`);
    });
  });

  test("no field is wider than what is sent", () => {
    for (const name of names)
      for (const spec of Object.values<FieldSpec>(records[name])) expect(fieldBytes(spec)).toBeLessThanOrEqual(256);
  });

  test("every program has a hook of its own kernel's, and passes on an earlier denial", async () => {
    const folder = `${import.meta.dir}/../../../native/bpf`;
    const sources = [...new Bun.Glob("*.bpf.h").scanSync(folder)];
    const text = (await Promise.all(sources.map((name) => Bun.file(`${folder}/${name}`).text()))).join("\n");
    const programs = [...text.matchAll(/SEC\("lsm\/(\w+)"\)\nint BPF_PROG\((\w+)([^)]*)\)\n\{([\s\S]*?)\n\}/g)];
    expect(programs.length).toBe([...text.matchAll(/SEC\("lsm\//g)].length);
    for (const [, , name, parameters = "", body = ""] of programs) {
      expect({ name, parameters: parameters.replace(/\s+/g, " ") }).toEqual({
        name,
        parameters: expect.stringMatching(/, int ret$/),
      });
      expect({ name, body }).toEqual({ name, body: expect.stringMatching(/if \(ret\b|check_\w+\(ret,/) });
    }
  });
});
