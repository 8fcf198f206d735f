import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { generateContract } from "../../../scripts/generate/contract.ts";
import { canonicalContract, fnv1a64 } from "../../../scripts/generate/contract-hash.ts";
import { planOps, reportRecords } from "../../../src/run/plan/contract.ts";
import { contractHash } from "../../../src/run/plan/contract-hash.gen.ts";

const root = join(import.meta.dir, "../../..");

describe("the generated contract", () => {
  test.each(generateContract().map(({ path, content }) => [path, content]))("%s is up to date", (path, content) => {
    expect(readFileSync(join(root, path), "utf8")).toBe(content);
  });

  test("C and TypeScript have the same hash, and it is that of the tables", () => {
    const header = readFileSync(join(root, "native/launcher/contract.gen.h"), "utf8");
    const inC = BigInt(/CONTRACT_HASH (0x[0-9a-f]{16})ull/.exec(header)?.[1] ?? 0);
    expect(inC).toBe(contractHash);
    expect(contractHash).toBe(fnv1a64(canonicalContract()));
  });

  test("every record has an id of its own, and a struct in C when it has fields", () => {
    const header = readFileSync(join(root, "native/launcher/contract.gen.h"), "utf8");
    for (const [kind, table] of Object.entries({ op: planOps, record: reportRecords })) {
      const ids = Object.values(table).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const [name, { fields }] of Object.entries(table)) {
        expect(header.includes(`struct ${kind}_${name} {`)).toBe(Object.keys(fields).length > 0);
      }
    }
  });
});

test.each([
  ["", 0xcbf29ce484222325n],
  ["a", 0xaf63dc4c8601ec8cn],
  ["foobar", 0x85944171f73967e8n],
])("FNV-1a of %p", (text, hash) => {
  expect(fnv1a64(text)).toBe(hash);
});
