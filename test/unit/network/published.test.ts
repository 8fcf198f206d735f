/** Connections to published ports, as the session tells of them. */
import { expect, test } from "bun:test";
import { attemptsMax } from "../../../src/run/network/attempt.ts";
import { wireAddress } from "../../../src/run/network/gateway/address.ts";
import { FakeGateway } from "./fake-gateway.ts";

const caller = wireAddress([127, 0, 0, 1]).address;
const publish = ["8080:80", "0.0.0.0:8443:443"];
const came = (connection: number, listener: number) =>
  ({ record: "published", connection, listener, port: 40_000 + connection, address: caller }) as const;

test("a connection is told of when it has ended, with the zone's view of the bytes, and orders nothing", () => {
  const gateway = new FakeGateway({ publish });
  gateway.receive(came(7, 1));
  expect(gateway.attempts).toEqual([]);
  gateway.now += 40;
  gateway.receive({ record: "closed", connection: 7, error: 104, sent: 10, received: 2000 });
  expect(gateway.take()).toEqual([]);
  expect(gateway.attempts).toEqual([
    {
      inbound: true,
      decision: "allow",
      protocol: "tcp",
      name: null,
      address: "127.0.0.1",
      port: 40_007,
      why: "--publish 0.0.0.0:8443:443",
      policyKey: null,
      sentBytes: 2000,
      receivedBytes: 10,
      durationMs: 40,
      error: 104,
    },
  ]);
});

test("where nobody listens, who came is reset, once", () => {
  const gateway = new FakeGateway({ publish });
  gateway.receive(came(3, 0));
  gateway.receive({ record: "failed", connection: 3, error: 111 });
  expect(gateway.take()).toEqual(["refuse 3"]);
  gateway.receive({ record: "closed", connection: 3, error: 0, sent: 0, received: 0 });
  gateway.receive({ record: "failed", connection: 3, error: 111 });
  expect(gateway.take()).toEqual([]);
  expect(gateway.attempts.map(({ why, error }) => [why, error])).toEqual([["--publish 127.0.0.1:8080:80", 111]]);
});

test("it is none of the zone's own: what it says decides nothing, time does not end it, and other connections go on", () => {
  const gateway = new FakeGateway({ publish, domains: ["a.example"] });
  gateway.receive(came(1, 0));
  gateway.hear(1, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  gateway.pass(3_600_000);
  expect(gateway.take()).toEqual([]);
  gateway.open(2, "198.51.100.9", 22);
  gateway.hear(2, "SSH-2.0-x\r\n");
  expect(gateway.take()).toEqual(["refuse 2"]);
  gateway.receive({ record: "closed", connection: 1, error: 0, sent: 1, received: 1 });
  expect(gateway.attempts.map(({ decision, inbound = false }) => [decision, inbound])).toEqual([
    ["deny", false],
    ["allow", true],
  ]);
});

test("no more are listed than of other attempts; the rest are counted", () => {
  const gateway = new FakeGateway({ publish });
  for (let id = 1; id <= attemptsMax + 5; id++) {
    gateway.receive(came(id, 0));
    gateway.receive({ record: "closed", connection: id, error: 0, sent: 0, received: 0 });
  }
  expect(gateway.attempts.length).toBe(attemptsMax);
  expect(gateway.session.dropped).toBe(5);
});
