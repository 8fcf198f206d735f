import { describe, expect, test } from "bun:test";
import { contractLimits, type PlanOp, planHeaderBytes, planMagic, planOps } from "../../../src/run/plan/contract.ts";
import { contractHash } from "../../../src/run/plan/contract-hash.gen.ts";
import { encodePlan, PlanEncodeError } from "../../../src/run/plan/encode.ts";

/** The encoding once more, as plainly as the format's description reads. */
function reference(ops: readonly PlanOp[]): Buffer {
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const u64 = (value: bigint | number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return bytes;
  };
  const str = (text: string) => Buffer.concat([u32(Buffer.byteLength(text)), Buffer.from(text), Buffer.alloc(1)]);
  const encoders = {
    u32: (value: unknown) => u32(value as number),
    u64: (value: unknown) => u64(value as bigint | number),
    str: (value: unknown) => str(value as string),
    strs: (value: unknown) => Buffer.concat([u32((value as string[]).length), ...(value as string[]).map(str)]),
    bytes: (value: unknown) => Buffer.concat([u32((value as Uint8Array).length), value as Uint8Array]),
  };
  const bodies = ops.map((op) => {
    const { id, fields } = planOps[op.op];
    const values = Object.entries<keyof typeof encoders>(fields).map(([name, type]) =>
      encoders[type]((op as unknown as Record<string, unknown>)[name]),
    );
    const payload = Buffer.concat(values);
    return Buffer.concat([u32(id), u32(payload.length), payload]);
  });
  const body = Buffer.concat(bodies);
  const total = planHeaderBytes + body.length;
  return Buffer.concat([u32(planMagic), u64(contractHash), u32(ops.length), u32(total), body]);
}

const samples: readonly PlanOp[] = [
  { op: "namespaces", flags: 0x7e020000 },
  { op: "setgroups_deny" },
  { op: "id_helpers", newuidmap: "/usr/bin/newuidmap", newgidmap: "" },
  { op: "root", size: 2 ** 40, inodes: 0xffff_ffff_ffff_ffffn },
  { op: "bind", source: "/home/käthe/→", target: "/x", flags: 0xffff_ffff },
  { op: "file", target: "/etc/x", mode: 0o644, content: new Uint8Array([0, 1, 255]) },
  { op: "identity", uid: 0, gid: 0, groups: ["1", "4294967294"], umask: 0o22, flags: 1 },
  { op: "exec", argv: ["sh", "-c", ""], env: [] },
];

describe("the plan on the wire", () => {
  test("equals the plain reading of the format", () => {
    expect(Buffer.from(encodePlan(samples)).equals(reference(samples))).toBe(true);
    expect(Buffer.from(encodePlan([])).equals(reference([]))).toBe(true);
  });

  test("is this, byte for byte, for one op", () => {
    const bytes = Buffer.from(encodePlan([{ op: "hostname", name: "zone" }]));
    expect(bytes.subarray(planHeaderBytes).toString("hex")).toBe("29000000" + "09000000" + "040000007a6f6e6500");
    expect(bytes.subarray(0, 4).toString()).toBe("RHP1");
  });

  test("grows with its content", () => {
    const env = Array.from({ length: 3000 }, (_, i) => `NAME_${i}=${"x".repeat(i % 700)}`);
    const ops: PlanOp[] = [...samples, { op: "exec", argv: ["a"], env }];
    expect(Buffer.from(encodePlan(ops)).equals(reference(ops))).toBe(true);
  });

  test("carries a lone surrogate as the replacement character, not as broken UTF-8", () => {
    const bytes = Buffer.from(encodePlan([{ op: "hostname", name: "\ud800" }]));
    expect(bytes.subarray(planHeaderBytes + 12).toString("hex")).toBe("efbfbd00");
  });
});

describe("what can't travel is refused, with the op's index", () => {
  const refused = (op: unknown): PlanEncodeError => {
    try {
      encodePlan([{ op: "loopback" }, op as PlanOp]);
    } catch (error) {
      if (error instanceof PlanEncodeError) return error;
      throw error;
    }
    throw new Error("it was encoded");
  };

  test.each([
    ["a NUL in a path", { op: "workdir", path: "/a\0b" }, "NUL"],
    ["a NUL in an argument", { op: "exec", argv: ["a\0"], env: [] }, "NUL"],
    ["a path that is too long", { op: "workdir", path: `/${"é".repeat(2048)}` }, "longer than 4095"],
    ["a negative number", { op: "namespaces", flags: -1 }, "32 bits"],
    ["a fraction", { op: "namespaces", flags: 0.5 }, "32 bits"],
    ["33 bits", { op: "namespaces", flags: 2 ** 32 }, "32 bits"],
    ["65 bits", { op: "capabilities", mask: 1n << 64n }, "64 bits"],
    ["a number that lost digits", { op: "root", size: 2 ** 53, inodes: 1 }, "64 bits"],
    ["a missing field", { op: "workdir" }, "path is missing"],
    ["an unknown op", { op: "reboot" }, "no op reboot"],
  ])("%s", (_, op, message) => {
    const error = refused(op);
    expect(error.op).toBe(1);
    expect(error.message).toContain(message);
  });

  test("more ops, or more bytes, than a plan may have", () => {
    const ops: PlanOp[] = Array.from({ length: contractLimits.ops + 1 }, () => ({ op: "loopback" }) as const);
    expect(() => encodePlan(ops)).toThrow("too many ops");
    const env = ["A=".padEnd(contractLimits.planBytes, "x")];
    expect(() => encodePlan([{ op: "exec", argv: ["a"], env }])).toThrow("too big");
  });

  test("an argument may be longer than a path", () => {
    expect(encodePlan([{ op: "exec", argv: ["a".repeat(100_000)], env: [] }]).length).toBeGreaterThan(100_000);
  });
});
