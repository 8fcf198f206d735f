import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderPolicy } from "../../src/run/policy/render.ts";
import { shippedPolicies, shippedPolicyNames } from "../../src/run/policy/shipped.gen.ts";

/**
 * What `rauha policy show NAME` prints, every default filled in, hash included: a change of a shipped policy, of a default or of the canonical
 * form shows here. `RAUHA_UPDATE_GOLDEN=1 bun test test/golden/policies.test.ts` writes them anew.
 */
const directory = join(import.meta.dir, "policies");

describe.each(Object.entries(shippedPolicies))("%s", (name, policy) => {
  const file = join(directory, `${name}.toml`);
  if (process.env["RAUHA_UPDATE_GOLDEN"] === "1") writeFileSync(file, renderPolicy(policy));

  test("is the reviewed one", () => {
    expect(renderPolicy(policy)).toBe(readFileSync(file, "utf8"));
  });
});

test("nothing else is reviewed", () => {
  expect(readdirSync(directory).toSorted()).toEqual(shippedPolicyNames.map((name) => `${name}.toml`).toSorted());
});
