import { describe, expect, test } from "bun:test";
import { shippedPolicies } from "../../../src/run/policy/shipped.gen.ts";
import { answerDenials } from "../../../src/run/seccomp/bpf.ts";
import { defaultProfile } from "../../../src/run/seccomp/default-profile.gen.ts";
import { shippedFilter } from "../../../src/run/seccomp/shipped.ts";
import { checkFilter } from "./interpreter.ts";
import { filterOf } from "./profiles.ts";

const arches = ["x86_64", "aarch64"] as const;

describe("filters compiled at build time", () => {
  test.each(Object.keys(shippedPolicies))("%s has its own, as the compiler makes it", (name) => {
    const policy = shippedPolicies[name];
    if (!policy) throw new Error("no such policy");
    for (const arch of arches) {
      const inputs = {
        arch,
        capabilities: policy.capabilities.allowed,
        deny: policy.syscalls.deny,
        allow: policy.syscalls.allow,
      };
      for (const deniedAction of ["errno", "notify"] as const) {
        const filter = shippedFilter(inputs, deniedAction);
        expect(filter).toEqual(filterOf(defaultProfile, { ...inputs, deniedAction }));
        expect(checkFilter(filter ?? new Uint8Array())).toEqual([]);
      }
    }
  });

  test("a policy of the user's that asks for the same gets the same", () => {
    const same = { arch: "x86_64", capabilities: ["CAP_SETUID", "CAP_CHOWN"], deny: [], allow: [] } as const;
    expect(shippedFilter(same, "errno")).toEqual(filterOf(defaultProfile));
    const strict = shippedPolicies["strict"]?.syscalls.deny.toReversed() ?? [];
    expect(shippedFilter({ ...same, deny: strict }, "errno")).toBeDefined();
  });

  test("one that asks for anything else does not", () => {
    const base = { arch: "x86_64", capabilities: [] as string[], deny: [] as string[], allow: [] as string[] } as const;
    expect(shippedFilter({ ...base, deny: ["ptrace"] }, "errno")).toBeUndefined();
    expect(shippedFilter({ ...base, allow: ["bpf"] }, "errno")).toBeUndefined();
    expect(shippedFilter({ ...base, capabilities: ["CAP_BPF"] }, "errno")).toBeUndefined();
  });

  test("answering for the listener changes the denials and nothing else", () => {
    const asking = filterOf(defaultProfile, { deniedAction: "notify" });
    const plain = answerDenials(asking);
    expect(plain).toEqual(filterOf(defaultProfile));
    expect(answerDenials(plain)).toEqual(plain);
    expect(asking).toEqual(filterOf(defaultProfile, { deniedAction: "notify" }));
    const changed = Array.from(plain.keys()).filter((at) => plain[at] !== asking[at]);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.every((at) => plain[at - (at % 8)] === 0x06)).toBe(true);
  });
});
