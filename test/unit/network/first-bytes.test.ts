/** What a client's first bytes say of where it goes. */
import { describe, expect, test } from "bun:test";
import { readClientHello } from "../../../src/run/network/client-hello.ts";
import { firstBytesMax, readFirstBytes } from "../../../src/run/network/first-bytes.ts";
import { readHttpHead } from "../../../src/run/network/http-head.ts";
import { clientHello, extension, helloFor, records, serverName } from "./hellos.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

describe("a ClientHello", () => {
  test("names its server, in lower case and without the dot at the end", () => {
    expect(readClientHello(helloFor("WWW.Example.ORG."))).toEqual({
      state: "whole",
      name: "www.example.org",
      encrypted: false,
    });
  });

  test("says the same in records of any size, and nothing before it is whole", () => {
    const message = clientHello(serverName("www.example.org"));
    for (const size of [1, 2, 3, 7, 50, message.length]) {
      const all = records(message, size);
      expect(readClientHello(all)).toMatchObject({ state: "whole", name: "www.example.org" });
      for (let end = 0; end < all.length; end += 3)
        expect(readClientHello(all.subarray(0, end))).toEqual({ state: "more" });
    }
  });

  test("may have no extensions, or no server name", () => {
    expect(readClientHello(records(clientHello(undefined)))).toMatchObject({ state: "whole", name: undefined });
    expect(readClientHello(records(clientHello(extension(10, [0, 2, 0, 29]))))).toMatchObject({ name: undefined });
  });

  test("that is encrypted is told from others", () => {
    const hello = records(clientHello([...serverName("front.example"), ...extension(0xfe0d, [0, 0, 1])]));
    expect(readClientHello(hello)).toEqual({ state: "whole", name: "front.example", encrypted: true });
  });

  test.each([
    ["two server names", [...serverName("a.example"), ...serverName("b.example")], "an extension stands twice"],
    ["an empty name", serverName(""), "no host name"],
    ["a name with a NUL", serverName("a.example\0.b.example"), "no host name"],
    ["a name with a space", serverName("a example"), "no host name"],
    ["a name of another type", extension(0, [0, 4, 1, 0, 1, 97]), "no host name"],
    ["a list of two names", extension(0, [0, 8, 0, 0, 1, 97, 0, 0, 1, 98]), "no host name"],
    ["a list that is too long", extension(0, [0, 9, 0, 0, 1, 97]), "no host name"],
    ["an extension that goes on", [0, 0, 0, 200, 1], "an extension ends early"],
  ])("with %s is wrong", (_, extensions, why) => {
    expect(readClientHello(records(clientHello(extensions)))).toMatchObject({
      state: "wrong",
      why: expect.stringContaining(why),
    });
  });

  test("is no other handshake message, and has no other record inside", () => {
    expect(readClientHello(records([2, 0, 0, 1, 0])).state).toBe("wrong");
    const split = records(clientHello(serverName("a.example")), 20);
    split[25] = 21;
    expect(readClientHello(split)).toMatchObject({ state: "wrong", why: expect.stringContaining("another record") });
  });

  test("of a length that no record has is wrong at once", () => {
    expect(readClientHello(new Uint8Array([22, 3, 1, 255, 255, 1])).state).toBe("wrong");
    expect(readClientHello(new Uint8Array([22, 3, 1, 0, 0, 1])).state).toBe("wrong");
  });
});

describe("an HTTP request", () => {
  test.each([
    ["GET / HTTP/1.1\r\nHost: Example.org\r\n\r\n", "example.org"],
    ["GET / HTTP/1.1\nHost: example.org\n\n", "example.org"],
    ["\r\n\r\nGET / HTTP/1.1\r\nhOsT:example.org:8080\r\n\r\n", "example.org"],
    ["GET http://example.org/x HTTP/1.1\r\nHost: example.org\r\n\r\n", "example.org"],
    ["GET http://example.org/x HTTP/1.0\r\n\r\n", "example.org"],
    ["CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n", "example.org"],
    ["OPTIONS * HTTP/1.1\r\nA: b\r\nHost: example.org\r\n\r\n", "example.org"],
  ])("%j names its host", (request, host) => {
    expect(readHttpHead(bytes(request))).toEqual({ state: "whole", host, isAddress: false });
  });

  test.each([
    ["GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", "two hosts"],
    ["GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n", "one host in its target"],
    ["GET / HTTP/1.1\r\n\r\n", "no Host"],
    ["GET / HTTP/1.1\r\nHost: a.example\r\n b.example\r\n\r\n", "folded"],
    ["GET / HTTP/1.1\r\nHost : a.example\r\n\r\n", "malformed header"],
    ["GET / HTTP/1.1\r\nHost: a.example\rHost: b.example\r\n\r\n", "malformed header"],
    ["GET / HTTP/1.1\r\nHost: user@a.example\r\n\r\n", "no valid Host"],
    ["GET / HTTP/1.1\r\nHost: a.example/b\r\n\r\n", "no valid Host"],
    ["GET / HTTP/1.1\r\nHost:\r\n\r\n", "no valid Host"],
    ["GET a.example HTTP/1.1\r\nHost: a.example\r\n\r\n", "no path"],
    ["GET /\r\n\r\n", "request line"],
    ["GET / HTTP/2.0\r\nHost: a.example\r\n\r\n", "request line"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2 without TLS"],
  ])("%j is wrong", (request, why) => {
    expect(readHttpHead(bytes(request))).toMatchObject({ state: "wrong", why: expect.stringContaining(why) });
  });

  test("to an address is no host by name", () => {
    for (const host of ["10.0.0.1", "[::1]", "[::1]:80"])
      expect(readHttpHead(bytes(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`))).toMatchObject({ isAddress: true });
  });
});

describe("first bytes", () => {
  test("are told apart as soon as they can be", () => {
    expect(readFirstBytes(bytes(""))).toEqual({ kind: "more" });
    expect(readFirstBytes(bytes("G"))).toEqual({ kind: "more" });
    expect(readFirstBytes(new Uint8Array([22]))).toEqual({ kind: "more" });
    for (const other of [
      "SSH-2.0-x\r\n",
      "EHLO me\r\n",
      "\0\0\0\x08\x04\xd2\x16/",
      "git-upload-pack /x\0host=y\0",
      "\x16\x02",
    ])
      expect({ other, spoken: readFirstBytes(bytes(other)) }).toEqual({ other, spoken: { kind: "other" } });
  });

  test("of HTTP/0.9 and of unknown methods are HTTP, so that nothing is passed as something else", () => {
    expect(readFirstBytes(bytes("GET /\r\n")).kind).not.toBe("other");
    expect(readFirstBytes(bytes("BREW / HTTP/1.1\r\nHost: a.example\r\n\r\n"))).toMatchObject({ name: "a.example" });
  });

  test("that never come to a name are wrong when there are too many", () => {
    const hello = new Uint8Array(firstBytesMax);
    hello.set([22, 3, 1, 64, 0, 1, 0x98, 0x96, 0x80]);
    expect(readFirstBytes(hello)).toMatchObject({ kind: "wrong", why: expect.stringContaining("16384") });
    expect(readFirstBytes(hello.subarray(0, firstBytesMax - 1))).toEqual({ kind: "more" });
    const header = bytes(`GET / HTTP/1.1\r\nX: ${"y".repeat(firstBytesMax)}`).subarray(0, firstBytesMax);
    expect(readFirstBytes(header)).toMatchObject({ kind: "wrong" });
  });
});
