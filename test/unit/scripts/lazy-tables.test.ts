import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TABLES } from "../../../scripts/build/hot-bundle.ts";
import { lazyModule } from "../../../scripts/build/lazy-tables.ts";

/** The module that is bundled in the place of another, as it loads. */
async function rewritten(exports: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
  const folder = mkdtempSync(join(tmpdir(), "rauha-lazy-"));
  try {
    const file = join(folder, "table.mjs");
    writeFileSync(file, lazyModule("a test", exports));
    return { ...(await import(file)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe.each([...TABLES])("%s", (path) => {
  test("says the same when its entries are made on demand", async () => {
    const source = { ...(await import(`../../../${path}`)) };
    const lazy = await rewritten(source);
    expect(Object.keys(lazy).sort()).toEqual(Object.keys(source).sort());
    for (const [name, value] of Object.entries(source)) {
      expect(lazy[name], name).toEqual(value);
      // Options and fields have an order that counts.
      if (typeof value === "object" && value !== null)
        expect(Object.keys(lazy[name] as object)).toEqual(Object.keys(value));
    }
  });
});

test("entries are made when they are asked for, and not before", async () => {
  const { table } = await rewritten({ table: { a: { deep: [1, 2n, { x: undefined }] }, b: {} } });
  const descriptor = Object.getOwnPropertyDescriptor(table, "a");
  expect(descriptor?.get).toBeFunction();
  expect(descriptor?.get?.()).toEqual({ deep: [1, 2n, { x: undefined }] });
});

test("a table of anything but records is written out as it is", async () => {
  const exports = {
    flags: { a: 1, b: 2 },
    list: [{ a: 1 }],
    text: 'with "quotes" and \u2028',
    none: null,
    big: 1n << 63n,
  };
  expect(await rewritten(exports)).toEqual(exports);
});

test("what is no data stops the build", () => {
  expect(() => lazyModule("src/x.ts", { f: () => 1 })).toThrow("src/x.ts: a table of data has a function in it");
  expect(() => lazyModule("src/x.ts", { a: { when: new Date(0) } })).toThrow("object in it");
});
