/** The decisions about a zone's connections and queries, against a gateway by hand. */
import { describe, expect, test } from "bun:test";
import { writeQuery } from "../../../src/run/network/dns/query.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { helloFor } from "./hellos.ts";

const request = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const names = {
  "a.example": ["198.51.100.1", "2001:db8::1"],
  "b.example": ["198.51.100.2"],
  "in.example": ["10.0.0.1"],
};

/** A gateway whose zone has looked up a name. */
function pinned(wish: ConstructorParameters<typeof FakeGateway>[0], ...looked: string[]): FakeGateway {
  const gateway = new FakeGateway(wish);
  looked.forEach((name, index) => {
    for (const type of [1, 28])
      gateway.receive({ record: "asked", query: 2 * index + type, data: writeQuery(7, name, type) });
    gateway.resolve(names);
  });
  gateway.take();
  return gateway;
}

describe("a pinned address", () => {
  test("is connected to at once, and bytes flow when the name is allowed", () => {
    const gateway = pinned({ domains: ["a.example"] }, "a.example");
    gateway.open(1, "198.51.100.1", 443);
    expect(gateway.take()).toEqual(["connect 1 198.51.100.1 443 inspect"]);
    const hello = helloFor("a.example");
    gateway.hear(1, hello.subarray(0, 20));
    expect(gateway.take()).toEqual([]);
    gateway.hear(1, hello.subarray(20));
    expect(gateway.take()).toEqual(["pass 1"]);
    gateway.now += 5;
    gateway.receive({ record: "closed", connection: 1, error: 0, sent: 100, received: 200 });
    expect(gateway.attempts).toEqual([
      {
        decision: "allow",
        protocol: "tcp",
        name: "a.example",
        address: "198.51.100.1",
        port: 443,
        why: "SNI names an allowed domain",
        policyKey: "network.allowed_domains",
        sentBytes: 100,
        receivedBytes: 200,
        durationMs: 5,
        error: 0,
      },
    ]);
  });

  test("with another server name or Host is refused", () => {
    for (const said of [helloFor("evil.example"), request("evil.example"), request("10.0.0.1")]) {
      const gateway = pinned({ domains: ["a.example"] }, "a.example");
      gateway.open(1, "198.51.100.1", 443);
      gateway.take();
      gateway.hear(1, said);
      expect(gateway.take()).toEqual(["refuse 1"]);
      expect(gateway.attempts[0]).toMatchObject({ decision: "deny", address: "198.51.100.1", port: 443 });
    }
  });

  test("may be silent for ever, and spoken to first", () => {
    const gateway = pinned({ domains: ["a.example"] }, "a.example");
    gateway.open(1, "198.51.100.1", 22);
    gateway.take();
    gateway.pass(3_600_000);
    expect(gateway.take()).toEqual([]);
    gateway.receive({ record: "spoke", connection: 1 });
    gateway.hear(1, request("evil.example"));
    expect(gateway.take()).toEqual([]);
    gateway.receive({ record: "closed", connection: 1, error: 0, sent: 1, received: 1 });
    expect(gateway.attempts[0]).toMatchObject({ decision: "allow", why: "an allowed domain led to the address" });
  });

  test("is left when a program that began to speak does not end", () => {
    const gateway = pinned({ domains: ["a.example"] }, "a.example");
    gateway.open(1, "198.51.100.1", 443);
    gateway.hear(1, helloFor("a.example").subarray(0, 9));
    gateway.take();
    gateway.pass(9_999);
    expect(gateway.take()).toEqual([]);
    gateway.pass(2);
    expect(gateway.take()).toEqual(["refuse 1"]);
    expect(gateway.attempts[0]?.why).toContain("within 10 s");
  });

  test("takes other protocols, but not at the web's ports; SSH everywhere", () => {
    const spoken = (port: number, said: string) => {
      const gateway = pinned({ domains: ["a.example"] }, "a.example");
      gateway.open(1, "198.51.100.1", port);
      gateway.take();
      gateway.hear(1, said);
      return gateway.take()[0];
    };
    expect(spoken(5432, "\0\0\0\x08\x04\xd2\x16/")).toBe("pass 1");
    expect(spoken(443, "\0\0\0\x08\x04\xd2\x16/")).toBe("refuse 1");
    expect(spoken(80, "\x01noise")).toBe("refuse 1");
    expect(spoken(8443, "\x80\x2e\x01\x03\x01")).toBe("refuse 1");
    expect(spoken(8080, " GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")).toBe("refuse 1");
    expect(spoken(443, "SSH-2.0-OpenSSH\r\n")).toBe("pass 1");
  });

  test("that can't be connected to is tried by the name's other addresses, then reported", () => {
    const gateway = pinned({ domains: ["a.example"] }, "a.example");
    gateway.open(1, "2001:db8::1", 80);
    expect(gateway.take()).toEqual(["connect 1 2001:db8::1 80 inspect"]);
    gateway.receive({ record: "failed", connection: 1, error: 101 });
    expect(gateway.take()).toEqual(["connect 1 198.51.100.1 80 inspect"]);
    gateway.receive({ record: "failed", connection: 1, error: 111 });
    expect(gateway.take()).toEqual(["refuse 1"]);
    expect(gateway.attempts[0]).toMatchObject({ decision: "allow", error: 111 });
  });

  test("at a port that the domain does not have is denied by the name that led there", () => {
    const gateway = pinned({ domains: ["a.example:443"] }, "a.example");
    gateway.open(1, "198.51.100.1", 80);
    expect(gateway.take()).toEqual(["refuse 1"]);
    expect(gateway.attempts[0]).toMatchObject({ name: "a.example", why: "a.example is not allowed at port 80" });
  });

  test("outlives its TTL for a while, and not for ever", () => {
    const gateway = pinned({ domains: ["a.example"] }, "a.example");
    gateway.now += 500_000;
    gateway.open(1, "198.51.100.1", 22);
    expect(gateway.take()).toEqual(["connect 1 198.51.100.1 22 inspect"]);
    gateway.now += 500_000;
    gateway.open(2, "198.51.100.1", 22);
    expect(gateway.take()).toEqual([]);
  });
});

describe("an address that nothing is known of", () => {
  test("leads to where the server name leads, wherever the program wanted to go", () => {
    const gateway = new FakeGateway({ domains: ["a.example"] });
    gateway.open(1, "203.0.113.66", 443);
    gateway.hear(1, helloFor("a.example"));
    gateway.resolve(names);
    expect(gateway.take()).toContain("connect 1 198.51.100.1 443 open");
    gateway.receive({ record: "failed", connection: 1, error: 111 });
    expect(gateway.take()).toEqual(["connect 1 2001:db8::1 443 open"]);
  });

  test("is denied where the name leads inside", () => {
    const gateway = new FakeGateway({ domains: ["in.example"] });
    gateway.open(1, "203.0.113.66", 443);
    gateway.hear(1, helloFor("in.example"));
    gateway.resolve(names);
    expect(gateway.take().at(-1)).toBe("refuse 1");
    expect(gateway.attempts[0]).toMatchObject({
      decision: "deny",
      why: "the name resolves to 10.0.0.1, which is private and not listed",
      policyKey: "network.allowed_egress",
    });
  });

  test("is denied where the protocol names no host, or nothing is said", () => {
    const gateway = new FakeGateway({ domains: ["a.example"] });
    gateway.open(1, "203.0.113.66", 22);
    gateway.hear(1, "SSH-2.0-x\r\n");
    expect(gateway.take()).toEqual(["refuse 1"]);
    gateway.open(2, "203.0.113.66", 22);
    gateway.pass(10_001);
    expect(gateway.take()).toEqual(["refuse 2"]);
  });

  test("is denied at once where no domain is allowed at all, or the address is special", () => {
    const none = new FakeGateway();
    none.open(1, "203.0.113.66", 443);
    expect(none.take()).toEqual(["refuse 1"]);
    const some = new FakeGateway({ domains: ["*"] });
    for (const address of ["169.254.169.254", "127.0.0.1", "::ffff:10.0.0.1", "fd00::1"]) some.open(1, address, 80);
    expect(some.take()).toEqual(Array(4).fill("refuse 1"));
  });

  test("and a program that leaves before it has said anything are an attempt too", () => {
    const gateway = new FakeGateway({ domains: ["a.example"] });
    gateway.open(1, "203.0.113.66", 443);
    gateway.receive({ record: "closed", connection: 1, error: 104, sent: 0, received: 0 });
    expect(gateway.take()).toEqual([]);
    expect(gateway.attempts[0]).toMatchObject({ decision: "deny", address: "203.0.113.66" });
  });
});

describe("allowed_egress", () => {
  test("lets an address be reached, whatever is spoken", () => {
    const gateway = new FakeGateway({ egress: ["10.0.0.0/8:5432"] });
    gateway.open(1, "10.1.2.3", 5432);
    expect(gateway.take()).toEqual(["connect 1 10.1.2.3 5432 open"]);
    gateway.open(2, "10.1.2.3", 5433);
    expect(gateway.take()).toEqual(["refuse 2"]);
  });

  test("yields to a denied domain that is named", () => {
    const gateway = new FakeGateway({ egress: ["0.0.0.0/0:443"], denied: ["evil.example"] });
    gateway.open(1, "203.0.113.66", 443);
    expect(gateway.take()).toEqual(["connect 1 203.0.113.66 443 inspect"]);
    gateway.hear(1, helloFor("evil.example"));
    expect(gateway.take()).toEqual(["refuse 1"]);
    gateway.open(2, "203.0.113.66", 443);
    gateway.hear(2, helloFor("fine.example"));
    expect(gateway.take().at(-1)).toBe("pass 2");
  });
});

describe("queries", () => {
  const asked = (gateway: FakeGateway, name: string, type = 1): number => {
    gateway.receive({ record: "asked", query: 1, data: writeQuery(7, name, type) });
    gateway.resolve(names);
    const order = gateway.last();
    return order.record === "answer" ? (order.data[3] ?? 0) & 15 : -1;
  };

  test("for allowed names are answered, others have no name", () => {
    const gateway = new FakeGateway({ domains: ["a.example", "in.example", "gone.example"] });
    expect(asked(gateway, "a.example")).toBe(0);
    expect(asked(gateway, "b.example")).toBe(3);
    expect(asked(gateway, "in.example")).toBe(3);
    expect(asked(gateway, "gone.example")).toBe(3);
    expect(asked(gateway, "a.example", 16)).toBe(0);
    expect(asked(gateway, "a.example", 255)).toBe(4);
    expect(gateway.orders.filter(({ record }) => record === "ask")).toHaveLength(3);
    expect(gateway.attempts.map(({ name, why }) => `${name}: ${why}`)).toEqual([
      "b.example: no allowed domain has the name",
      "in.example: the name resolves to 10.0.0.1, which is private and not listed",
    ]);
  });

  test("are asked for once, and again of the next server in time", () => {
    const gateway = new FakeGateway({ domains: ["a.example"], servers: ["192.0.2.1", "192.0.2.2"] });
    for (const query of [1, 2]) gateway.receive({ record: "asked", query, data: writeQuery(query, "a.example", 1) });
    expect(gateway.take()).toEqual(["ask 1 192.0.2.1"]);
    gateway.pass(2001);
    expect(gateway.take()).toEqual(["forget 1", "ask 2 192.0.2.2"]);
    gateway.receive({ record: "unanswered", lookup: 2, error: 111 });
    expect(gateway.take()).toEqual(["forget 2", "ask 3 192.0.2.1"]);
    gateway.pass(2001);
    gateway.pass(2001);
    expect(gateway.take()).toEqual(["forget 3", "ask 4 192.0.2.2", "forget 4", "answer 1", "answer 2"]);
  });

  test("whose answer is somebody else's wait on", () => {
    const gateway = new FakeGateway({ domains: ["a.example"] });
    gateway.receive({ record: "asked", query: 1, data: writeQuery(7, "a.example", 1) });
    gateway.take();
    gateway.receive({ record: "answered", lookup: 1, data: writeQuery(1, "a.example", 1) });
    gateway.receive({ record: "answered", lookup: 9, data: new Uint8Array(40) });
    expect(gateway.take()).toEqual([]);
  });

  test("by TCP are answered together, in one go", () => {
    const gateway = new FakeGateway({ domains: ["a.example"] });
    gateway.open(1, "127.0.0.1", 53);
    const query = writeQuery(7, "a.example", 1);
    const framed = new Uint8Array([0, query.length, ...query, 0, query.length, ...query]);
    gateway.hear(1, framed.subarray(0, 30));
    gateway.hear(1, framed.subarray(30));
    gateway.resolve(names);
    const order = gateway.last();
    expect(order.record).toBe("reply");
    const data = order.record === "reply" ? order.data : new Uint8Array();
    const size = ((data[0] ?? 0) << 8) | (data[1] ?? 0);
    expect(data.length).toBe(2 * (size + 2));
  });

  test("by TCP that are too large, too many or too slow end", () => {
    const gateway = new FakeGateway({ domains: ["a.example"] });
    gateway.open(1, "9.9.9.9", 53);
    gateway.hear(1, new Uint8Array([255, 255, 1]));
    expect(gateway.take()).toEqual(["reply 1"]);
    gateway.open(2, "9.9.9.9", 53);
    gateway.hear(2, new Uint8Array([0]));
    gateway.pass(10_001);
    expect(gateway.take()).toEqual(["reply 2"]);
  });
});

test("what a run lists is bounded, the rest is counted", () => {
  const gateway = new FakeGateway();
  for (let connection = 1; connection <= 600; connection++) gateway.open(connection, "203.0.113.66", 443);
  expect(gateway.attempts).toHaveLength(512);
  expect(gateway.session.dropped).toBe(88);
});
