/**
 * Lists of addresses, kept by the BPF programs alone: the zones' networks are namespaces of their own with all these addresses on `lo`, so
 * that nothing but the programs is between a zone and any of them.
 */
import { expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import type { Result } from "../../../src/run/result/schema.ts";
import { resultSchema } from "../../../src/run/result/schema.ts";
import { rauha, start } from "../../support/rauha.ts";
import { network, policyOf } from "./policies.ts";
import { deniedSince, describeGuarded, readCounters } from "./programs.ts";
import { tries } from "./tries.ts";

const addresses = ["192.0.2.1", "192.0.2.2", "198.51.100.1", "10.1.0.5", "10.2.0.5", "169.254.169.254", "10.89.0.1"];
const unshare = ["--net"];
const setup = ["ip link set lo up", ...addresses.map((address) => `ip addr add ${address}/32 dev lo`)].join(" && ");
const lists = {
  allowedEgress: ["0.0.0.0/0:443", "192.0.2.1:7800", "10.1.0.0/16:443"],
  allowedIngress: ["192.0.2.0/24:5353"],
};
const tcp = (address: string, port: number) => `connect inet ${address} ${port}`;
/** Nobody listens: what passes is refused by the address itself. */
const reached = "ECONNREFUSED";

describeGuarded("addresses", (guard) => {
  test("a bridged zone without any packet filter reaches what is listed, and nothing else", async () => {
    const zone = await guard.zone("bridged", policyOf(network({ ...lists, mode: "bridged" })), {
      setup,
      unshare,
    });
    const listed = [tcp("192.0.2.1", 7800), tcp("198.51.100.1", 443), tcp("192.0.2.2", 443), tcp("10.1.0.5", 443)];
    expect(await zone.outcomes(listed)).toEqual(listed.map(() => reached));
    expect(zone.denials()).toEqual([]);
    // Another address, another port; private, the clouds' and the host's own, which an entry for everything does not mean.
    const unlisted = [
      ...[tcp("192.0.2.2", 7800), tcp("192.0.2.1", 7801), tcp("10.1.0.5", 80)],
      ...[tcp("10.2.0.5", 443), tcp("169.254.169.254", 443), tcp("10.89.0.1", 443)],
    ];
    const before = readCounters(guard.state);
    expect(await zone.outcomes(unlisted)).toEqual(unlisted.map(() => "EPERM"));
    expect(deniedSince(guard.state, before, "socket_connect")).toBe(unlisted.length);
    const told = zone.denials();
    expect(told.map(({ reason }) => reason)).toEqual(unlisted.map(() => "egress"));
    expect(told[0]).toMatchObject({ hook: "socket_connect", object: "192.0.2.2:7800", comm: "test-probe" });
    expect(await zone.outcomes([tcp("127.0.0.1", 7800), "send inet 192.0.2.2 7800"])).toEqual([reached, "EPERM"]);
    expect(zone.denials()).toMatchObject([{ hook: "socket_sendmsg", object: "192.0.2.2:7800" }]);
    await zone.end();
    const filtered = await guard.zone("filtered", policyOf(network({ ...lists, mode: "filtered" })), {
      setup,
      unshare,
    });
    expect(await filtered.outcomes([...listed, ...unlisted])).toEqual([...listed, ...unlisted].map(() => reached));
    await filtered.end();
  }, 200_000);

  test("a bridged zone answers who may call it, from the port that is open, and from no other", async () => {
    const zone = await guard.zone("answers", policyOf(network({ ...lists, mode: "bridged" })), {
      setup,
      unshare,
    });
    const send = (port: number, to: string) =>
      `(s := socket.socket(socket.AF_INET, socket.SOCK_DGRAM), s.bind(("", ${port})), s.sendto(b"x", ("${to}", 4000)))`;
    const attempts = [send(5353, "192.0.2.2"), send(5353, "198.51.100.1"), send(5354, "192.0.2.2")];
    expect((await zone.run(tries(...attempts))).stdout.split("\n")).toEqual(["OK", "EPERM", "EPERM"]);
    await zone.end();
  }, 200_000);

  test("ranges of ports are exact, however wide", async () => {
    const ranges = { allowedEgress: ["127.0.0.1:2000-9000"], allowedIngress: ["127.0.0.0/8:20000-40000"] };
    const zone = await guard.zone("ranges", policyOf(network({ ...ranges, mode: "host" })));
    const out = [1999, 2000, 9000, 9001].map((port) => tcp("127.0.0.1", port));
    expect(await zone.outcomes(out)).toEqual(["EPERM", reached, reached, "EPERM"]);
    const bound = [19_999, 20_000, 40_000, 40_001].map((port) => `bind inet 127.0.0.1 ${port}`);
    expect(await zone.outcomes(bound)).toEqual(["EPERM", "OK", "OK", "EPERM"]);
    expect(zone.denials().map(({ reason }) => reason)).toEqual(["egress", "egress", "ingress", "ingress"]);
    await zone.end();
  }, 200_000);

  test("an address without a family is one of version 4, where the kernel takes it for that", async () => {
    const zone = await guard.zone("unspecified");
    const socketOf = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach()";
    const named = (address: string) =>
      `struct.pack("=HH4s8x", 0, socket.htons(7500), socket.inet_aton("${address}")), 16`;
    const attempts = [
      `call("sendto", ${socketOf}, b"x", 1, 0, ${named("127.0.0.1")})`,
      `call("bind", ${socketOf}, ${named("0.0.0.0")})`,
      // To let go of a peer is nothing that a list is about.
      `call("connect", ${socketOf}, ${named("127.0.0.1")})`,
    ];
    const command = tries(...attempts);
    expect(Bun.spawnSync([...command]).stdout.toString()).toBe("OK\nOK\nOK\n");
    expect((await zone.run(command)).stdout.split("\n")).toEqual(["EPERM", "EPERM", "OK"]);
    const [sent, bound] = zone.denials();
    expect(sent).toMatchObject({ hook: "socket_sendmsg", reason: "egress" });
    expect(bound).toMatchObject({ hook: "socket_bind", reason: "ingress" });
    await zone.end();
  }, 200_000);

  test("`rauha sandbox --network bridged`: the list is held by the programs before a packet is sent", async () => {
    const script = `
import errno, socket
for address in (("198.51.100.7", 443), ("198.51.100.7", 444), ("198.51.100.8", 53)):
    s = socket.socket(); s.settimeout(20)
    try: s.connect(address); print("OK")
    except TimeoutError: print("TIMEOUT")
    except OSError as e: print(errno.errorcode[e.errno])`;
    const allow = ["198.51.100.7:443", "198.51.100.8:53"].flatMap((entry) => ["--allow-egress", entry]);
    const flags = ["--network", "bridged", ...allow];
    const { stdout } = await rauha(["sandbox", "--json", ...flags, "--", "python3", "-c", script], {
      patienceMs: 180_000,
    });
    const result: Result = resultSchema.parse(JSON.parse(stdout));
    expect({ error: result.error, lsm: result.enforcement.lsm }).toMatchObject({
      error: null,
      lsm: expect.arrayContaining(["bpf-lsm"]),
    });
    // The guest has no way out: what passes comes as far as to the host, which says so.
    expect((result.stdout ?? "").trim().split("\n")).toEqual(["ENETUNREACH", "EPERM", "ENETUNREACH"]);
    const events = result.enforcement_events.filter(({ hook }) => hook === "socket_connect");
    expect(events).toMatchObject([{ object: "198.51.100.7:444", policy_key: "network.allowed_egress" }]);
  }, 400_000);

  test("a bridged zone whose rules somebody flushes still sends nowhere but where it is listed", async () => {
    const script = `
import errno, socket, sys
def attempt(address):
    s = socket.socket(); s.settimeout(20)
    try: s.connect(address); return "OK"
    except TimeoutError: return "TIMEOUT"
    except OSError as e: return errno.errorcode[e.errno]
for _ in sys.stdin:
    print(attempt(("198.51.100.7", 443)), attempt(("198.51.100.7", 444)), attempt(("10.89.0.1", 444)), flush=True)`;
    const flags = ["--network", "bridged", "--allow-egress", "198.51.100.7:443"];
    const outcome = `/var/tmp/bpf-flushed-${process.pid}`;
    const words = ["sandbox", "--stream", "--result", outcome, ...flags, "--", "python3", "-c", script];
    const child = start(words, { stdin: "pipe" }) as unknown as Bun.Subprocess<"pipe", "pipe", "pipe">;
    const reader = child.stdout.getReader();
    const turn = async () => {
      child.stdin.write("go\n");
      child.stdin.flush();
      return new TextDecoder().decode((await reader.read()).value).trim();
    };
    // The guest has no way out: what passes comes as far as to the host, which says so.
    expect(await turn()).toBe("ENETUNREACH EPERM EPERM");
    expect(nft("list", "ruleset")).toContain("10.89.");
    nft("flush", "ruleset");
    expect(nft("list", "ruleset")).toBe("");
    expect(await turn()).toBe("ENETUNREACH EPERM EPERM");
    child.stdin.end();
    expect(await child.exited).toBe(0);
    const result: Result = resultSchema.parse(JSON.parse(readFileSync(outcome, "utf8")));
    rmSync(outcome);
    const objects = result.enforcement_events
      .filter(({ hook }) => hook === "socket_connect")
      .map((event) => event.object);
    expect(objects).toEqual(["198.51.100.7:444", "10.89.0.1:444", "198.51.100.7:444", "10.89.0.1:444"]);
  }, 400_000);
});

function nft(...words: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["nft", ...words]);
  if (exitCode !== 0) throw new Error(stderr.toString());
  return stdout.toString().trim();
}
