/** Hostile bytes for everything that reads what a zone or a resolver sends. None may throw, hang, or read a name that is none. */
import { expect, test } from "bun:test";
import { readAnswer } from "../../src/run/network/dns/answer.ts";
import { readQuery, writeQuery } from "../../src/run/network/dns/query.ts";
import { readFirstBytes } from "../../src/run/network/first-bytes.ts";
import { readNotices } from "../../src/run/network/notice.ts";
import { FakeGateway } from "../unit/network/fake-gateway.ts";
import { clientHello, extension, records, serverName } from "../unit/network/hellos.ts";

const seconds = Number(process.env["RAUHA_FUZZ_SECONDS"] ?? 8) / 4;
const rounds = (body: () => void): void => {
  const end = performance.now() + seconds * 1000;
  for (let count = 0; count < 200 || performance.now() < end; count++) body();
};
const random = (below: number): number => Math.floor(Math.random() * below);
const name = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/;

/** A few bytes changed, cut, doubled or made up. */
function spoil(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  for (let count = random(6); count > 0; count--) copy[random(copy.length)] = random(256);
  const kind = random(8);
  if (kind === 0) return copy.slice(0, random(copy.length));
  if (kind === 1) return new Uint8Array([...copy, ...copy]);
  if (kind === 2) return crypto.getRandomValues(new Uint8Array(random(300)));
  return copy;
}

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
const seeds = [
  records(
    clientHello([
      ...extension(10, [0, 2, 0, 29]),
      ...serverName("www.example.org"),
      ...extension(16, [0, 3, 2, 104, 50]),
    ]),
  ),
  records(clientHello(serverName("a.example")), 9),
  bytes("GET /x HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: x\r\n\r\n"),
  bytes("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n"),
];

test("first bytes", () => {
  rounds(() => {
    const all = spoil(seeds[random(seeds.length)] ?? new Uint8Array());
    const whole = readFirstBytes(all);
    if (whole.kind === "named") expect(whole.name).toMatch(name);
    // What was decided does not change with what comes later, but for the better known.
    const part = readFirstBytes(all.subarray(0, random(all.length)));
    if (part.kind === "named" && whole.kind === "named") expect(part.name).toBe(whole.name);
    if (part.kind === "other") expect(whole.kind).not.toBe("named");
  });
});

test("DNS queries and answers", () => {
  const query = writeQuery(1, "www.example.org", 1);
  const reply = new Uint8Array([
    0,
    1,
    0x81,
    0x80,
    0,
    1,
    0,
    2,
    0,
    0,
    0,
    0,
    ...query.slice(12, 33),
    0xc0,
    12,
    0,
    5,
    0,
    1,
    0,
    0,
    0,
    9,
    0,
    4,
    1,
    97,
    0xc0,
    16,
    1,
    97,
    0xc0,
    16,
    0,
    1,
    0,
    1,
    0,
    0,
    0,
    9,
    0,
    4,
    192,
    0,
    2,
    1,
  ]);
  rounds(() => {
    const read = readQuery(spoil(query));
    if (read.ok && read.query.name !== "") expect(read.query.name).toMatch(/^[a-z0-9_.-]+$/);
    const answer = readAnswer(spoil(reply), 1, "www.example.org", 1);
    if (answer.state === "answered") for (const address of answer.addresses) expect(address).toHaveLength(4);
  });
});

test("notices of the packet filter", () => {
  const packet = [0x45, 0, 0, 29, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 0, 8, 203, 0, 113, 10, 1, 1, 0, 99, 0, 9, 0, 0, 1];
  const attribute = [packet.length + 4, 0, 9, 0, ...packet, 0, 0, 0];
  const notice = new Uint8Array([
    20 + attribute.length,
    0,
    0,
    0,
    0,
    4,
    0,
    0,
    ...new Array<number>(8).fill(0),
    2,
    0,
    0,
    1,
    ...attribute,
  ]);
  expect(readNotices(notice)).toMatchObject([{ protocol: "udp", address: "203.0.113.10", port: 99 }]);
  rounds(() => {
    for (const { port } of readNotices(spoil(notice))) expect(port ?? 0).toBeLessThan(65_536);
  });
});

test("a whole session: nothing is connected to that is not allowed", () => {
  const places = ["203.0.113.66", "10.0.0.1", "198.51.100.1", "::1", "2001:db8::1"];
  rounds(() => {
    const gateway = new FakeGateway({ domains: ["www.example.org"] });
    for (let connection = 1; connection < 6; connection++) {
      gateway.open(connection, places[random(places.length)] ?? "", [22, 53, 80, 443][random(4)] ?? 0);
      for (let piece = random(4); piece > 0; piece--)
        gateway.hear(connection, spoil(seeds[random(seeds.length)] ?? new Uint8Array()));
      gateway.receive({ record: "asked", query: connection, data: spoil(writeQuery(1, "www.example.org", 1)) });
    }
    gateway.resolve({ "www.example.org": ["198.51.100.7", "10.0.0.9", "::ffff:10.0.0.9"] });
    gateway.pass(20_000);
    for (const order of gateway.take())
      if (order.startsWith("connect")) expect(order.split(" ")[2]).toBe("198.51.100.7");
  });
});
