/** Network mode none: loopback, and nothing else. */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { isPinned } from "../support/identity.ts";
import { expectAllowed, expectDenied } from "../support/layers.ts";
import { PROBE, probeBind, probeOnHost } from "../support/probe.ts";
import { sandbox, tryInZone } from "../support/rauha.ts";

const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
const folder = makeFolder("sockets");
const local = Bun.listen({ unix: join(folder, "socket"), socket: { data: () => undefined } });
const abstractName = `rauha-test-${process.pid}`;
const abstract = Bun.listen({ unix: `\0${abstractName}`, socket: { data: () => undefined } });
afterAll(() => {
  for (const listener of [server, local, abstract]) listener.stop(true);
});

describe("the zone's network", () => {
  test("has one interface, lo, and it is up", async () => {
    const tried = await tryInZone(["interfaces", "listen inet 127.0.0.1 0", "listen inet6 ::1 0"]);
    expect(tried.answers[0]?.items).toEqual(["lo"]);
    expectAllowed(tried, "listen inet 127.0.0.1 0");
  });

  test("has no way to a server on the host", async () => {
    const attempt = `connect inet 127.0.0.1 ${server.port}`;
    expect(probeOnHost(attempt)[0]?.outcome).toBe("OK");
    expectDenied(await tryInZone([attempt]), attempt, "network", "ECONNREFUSED");
  });

  test("has no way to anywhere else: no route", async () => {
    const attempts = [
      "connect inet 192.0.2.1 80",
      "connect inet 169.254.169.254 80",
      "connect inet 10.0.0.1 53",
      "send inet 8.8.8.8 53",
    ];
    const tried = await tryInZone(attempts);
    const [layer, errno] = isPinned ? (["programs", "EPERM"] as const) : (["network", "ENETUNREACH"] as const);
    for (const attempt of attempts) expectDenied(tried, attempt, layer, errno);
  });

  test("has no unix sockets of the host's: by path or abstract", async () => {
    const attempts = [`connect abstract ${abstractName}`, `connect unix ${join(folder, "socket")}`];
    expect(probeOnHost(...attempts).map(({ outcome }) => outcome)).toEqual(["OK", "OK"]);
    const tried = await tryInZone(attempts);
    expectDenied(tried, attempts[0] ?? "", "network", "ECONNREFUSED");
    expectDenied(tried, attempts[1] ?? "", "view", "ENOENT");
  });

  test("lets processes of the zone talk to each other", async () => {
    expectAllowed(
      await tryInZone(["listen unix /tmp/socket", "listen abstract own"]),
      "listen unix /tmp/socket",
      "listen abstract own",
    );
  });

  test("resolves localhost and its own name, and nothing else", async () => {
    const script =
      "getent hosts localhost >/dev/null && getent hosts $(hostname) >/dev/null && ! getent hosts example.org";
    expect((await sandbox(["--hostname", "quiet"], ["sh", "-c", script])).exitCode).toBe(0);
  });

  test("is a new one every time: a port that is taken in one zone is free in another", async () => {
    const flags = [...probeBind];
    const command = [PROBE, "listen", "inet", "127.0.0.1", "8080", "+", "sleep", "0.5"];
    const runs = await Promise.all([1, 2, 3].map(() => sandbox(flags, command)));
    for (const { result } of runs) expect(result.stdout).toContain("OK connected");
  });
});
