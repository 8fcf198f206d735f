/** What --publish adds to the plan of a filtered zone, and what it can't mean. */
import { expect, test } from "bun:test";
import { filteredPart } from "../../../src/run/plan/network/filtered.ts";
import { inputs, policyWith } from "./inputs.ts";

function part(publish: readonly string[] | undefined, allowedEgress: readonly string[] = []) {
  const policy = policyWith({ network: { mode: "filtered", allowedEgress: [...allowedEgress] } });
  return filteredPart(inputs({ policy, request: { publish } }), true);
}

test("without it there are no dialers, with it they come last and are the flag's", () => {
  expect(part(undefined).ops.some(({ op }) => op.op === "dial")).toBe(false);
  const { ops, egress, problems } = part(["8080:80", "192.0.2.1:443:8443"]);
  expect(problems).toEqual([]);
  expect(ops.at(-1)).toMatchObject({
    op: { op: "dial", count: 128 },
    origin: { kind: "flag", flag: "--publish" },
  });
  expect(ops.filter(({ op }) => op.op === "dial").length).toBe(1);
  expect(egress?.publish).toEqual([
    { address: [127, 0, 0, 1], port: 8080, zonePort: 80 },
    { address: [192, 0, 2, 1], port: 443, zonePort: 8443 },
  ]);
  // The sockets with names come before, and dialers have none.
  expect(egress?.sockets).toEqual(part(undefined).egress?.sockets ?? []);
});

test.each([
  ["8080:53", [], true],
  ["53:80", [], false],
  ["8080:5432", ["127.0.0.1:5432"], true],
  ["8080:5432", ["127.0.0.0/8:*"], true],
  ["8080:5432", ["127.0.0.1:5000-5432"], true],
  ["8080:5433", ["127.0.0.1:5000-5432"], false],
  ["8080:5432", ["127.0.0.2:5432"], false],
  ["8080:5432", ["0.0.0.0/0:5432", "[::1]:5432"], false],
])("%p with egress %p: refused %p", (publish, egress, refused) => {
  const { problems } = part([publish], egress);
  expect(problems.map(({ code, origin, hint }) => [code, origin, typeof hint])).toEqual(
    refused ? [["invalid_argument", { kind: "flag", flag: "--publish" }, "string"]] : [],
  );
});

test("16 ports at most; what is no port is said with its place", () => {
  const ports = (count: number) => Array.from({ length: count }, (_, index) => `${2000 + index}:80`);
  expect(part(ports(16)).problems).toEqual([]);
  expect(part(ports(17)).problems).toMatchObject([{ code: "invalid_argument", hint: expect.stringContaining("16") }]);
  expect(part(["1:2", "0:80", ":80"]).problems).toMatchObject([
    { origin: { kind: "flag", flag: "--publish", index: 2 } },
    { origin: { kind: "flag", flag: "--publish", index: 3 } },
  ]);
});
