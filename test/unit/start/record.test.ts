import { expect, test } from "bun:test";
import type { Consultation } from "../../../src/run/start/consulted.ts";
import { encodeRecord, type StartRecord } from "../../../src/run/start/record.ts";
import { decodeRecord } from "./decode-record.ts";

const hex = (text: string) => new TextEncoder().encode(text).toHex();

const consulted: Consultation[] = [
  { kind: "read", path: "/proc/self/cgroup", limit: 16384, outcome: Uint8Array.of(0, 1, 255) },
  { kind: "read", path: "/nowhere", limit: 1, outcome: -2 },
  { kind: "access", path: "/sys/ä", mode: 2, allowed: false },
  { kind: "hold", path: "/store/a" },
  { kind: "access", path: "/sys", mode: 4, allowed: true },
  { kind: "hold", path: "/store/b" },
];

const record: StartRecord = {
  build: 0xfedc_ba98_7654_3210n,
  options: ["--policy", "ä\n", ""],
  identity: {
    uid: 0xfffffffe,
    gid: 7,
    capabilities: 0x1ff_ffff_ffffn,
    userNamespace: 0xeffffffdn,
    landlockAbi: 7,
    seccomp: true,
    stdinIsTerminal: false,
    cwd: "/srv/ä",
  },
  consulted,
  variables: [
    ["HOME", "/root"],
    ["USER", undefined],
    ["EMPTY", ""],
  ],
  plan: {
    ops: 99,
    before: Uint8Array.of(1, 2, 3),
    zoneIds: [4, 0xffff_ffff],
    firstIds: [],
    entrypoint: ["a", ""],
    environment: Uint8Array.of(0, 0, 0, 0),
  },
  reported: [Uint8Array.of(7), new Uint8Array()],
  collected: [{ op: 5, as: 2 }],
  succeeded: { text: new TextEncoder().encode("{}\n"), holes: [{ place: 1, hole: 25 }] },
  failed: { text: new TextEncoder().encode("ä"), holes: [] },
};

test("a record is what the contract says, with what is to be held first", () => {
  const bytes = encodeRecord(record);
  const { plan, identity } = record;
  expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe("RHS1");
  expect(decodeRecord(bytes)).toEqual({
    magic: 0x31534852,
    size: bytes.length,
    build: record.build,
    options: [...record.options],
    ...identity,
    seccomp: 1,
    stdinIsTerminal: 0,
    checks: [
      { kind: 4, path: "/store/a" },
      { kind: 4, path: "/store/b" },
      { kind: 1, path: "/proc/self/cgroup", limit: 16384, errno: 0, content: "0001ff" },
      { kind: 1, path: "/nowhere", limit: 1, errno: 2, content: "" },
      { kind: 2, path: "/sys/ä", mode: 2, allowed: 0 },
      { kind: 2, path: "/sys", mode: 4, allowed: 1 },
      { kind: 3, name: "HOME", present: 1, value: hex("/root") },
      { kind: 3, name: "USER", present: 0, value: "" },
      { kind: 3, name: "EMPTY", present: 1, value: "" },
    ],
    ...plan,
    zoneIds: [...plan.zoneIds],
    firstIds: [],
    entrypoint: [...plan.entrypoint],
    reported: [...record.reported],
    collected: [...record.collected],
    succeeded: { ...record.succeeded, holes: [...record.succeeded.holes] },
    failed: { ...record.failed, holes: [] },
  });
});

test("a large record is whole", () => {
  const text = new Uint8Array(200_000).fill(0x61);
  const decoded = decodeRecord(encodeRecord({ ...record, succeeded: { text, holes: [] } }));
  expect(decoded.succeeded.text.length).toBe(200_000);
  expect(decoded.failed.text).toEqual(record.failed.text);
});
