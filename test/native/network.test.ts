/** The ops that set up a network namespace: messages are carried out or end the zone, and sockets go to rauha alone. */
import { describe, expect, test } from "bun:test";
import { addAddress, addRoute } from "../../src/run/netlink/address.ts";
import { encodeMessages, messageFlag, type NetlinkMessage, netlinkFamily } from "../../src/run/netlink/message.ts";
import { zoneSetup } from "../../src/run/network/zone-setup.ts";
import { type PlanOp, stages } from "../../src/run/plan/contract.ts";
import { launch, runners } from "./launch.ts";
import { allNamespaces, plan } from "./plans.ts";

const lo = 1;
const own = { address: [192, 0, 2, 1], prefix: 32 } as const;
const everywhere = { address: [0, 0, 0, 0], prefix: 0 } as const;
const route = (messages: readonly NetlinkMessage[], give = 0): PlanOp => ({
  op: "netlink",
  protocol: netlinkFamily.route,
  give,
  messages: encodeMessages(messages, 1),
});
const listen = (type: number, port: number, address: readonly number[]): PlanOp => ({
  op: "listen",
  type,
  port,
  address: new Uint8Array(address),
});

describe.each(runners)("as %s", (runner) => {
  const run = (after: readonly PlanOp[], script = "true", namespaces = allNamespaces) =>
    launch(plan({ runner, argv: ["sh", "-c", script], after, namespaces }), { runner });
  const failure = async (after: readonly PlanOp[], namespaces?: number) => {
    const { one } = await run(after, "true", namespaces);
    const { stage, errno, step, detail } = one("failed");
    return { stage: stages[stage], errno, step, detail };
  };

  test("messages are carried out in the zone, in their order", async () => {
    const messages = [addAddress(lo, own), addRoute({ to: everywhere, device: lo, source: own.address })];
    const { output, one } = await run(
      [route(messages)],
      "tail -n +2 /proc/net/route | cut -f 1,2; grep -c 192.0.2.1 /proc/net/fib_trie",
    );
    expect(one("ended").status).toBe(0);
    expect(output(1)).toMatch(/^lo\t00000000\n[1-9]\d*\n$/);
  });

  test("a message that the kernel refuses ends the zone, and is named by its number", async () => {
    const twice = [addAddress(lo, own), addAddress(lo, own)];
    expect(await failure([route(twice)])).toEqual({ stage: "net", errno: 17, step: "netlink", detail: "message 2" });
  });

  test.each([
    ["cut", encodeMessages([addAddress(lo, own)], 1).slice(0, 20)],
    ["too short", new Uint8Array([4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
    ["a piece of a header", new Uint8Array([1, 2, 3])],
  ])("a message that is %s is not sent", async (_, messages) => {
    const op = { op: "netlink", protocol: netlinkFamily.route, give: 0, messages } as const;
    expect(await failure([op])).toMatchObject({ stage: "net", errno: 22, detail: "not whole messages" });
  });

  test("a message without acknowledgement is not waited for", async () => {
    const { flags, ...rest } = addAddress(lo, own);
    const { one } = await run([route([{ ...rest, flags: flags & ~messageFlag.acknowledge }])]);
    expect(one("ended").status).toBe(0);
  });

  test("neither is carried out in a network of the host's", async () => {
    const shared = allNamespaces & ~0x4000_0000;
    for (const op of [route([addAddress(lo, own)]), listen(1, 0, [127, 0, 0, 1])]) {
      const after = [op];
      const ops = plan({ runner, argv: ["true"], after, namespaces: shared }).filter((each) => each.op !== "loopback");
      const { one } = await launch(ops, { runner });
      expect(one("failed")).toMatchObject({ errno: 22, detail: "the zone has no network namespace of its own" });
    }
  });

  test("a socket that can't be opened ends the zone", async () => {
    expect(await failure([listen(1, 53, [127, 0, 0, 1]), listen(1, 53, [127, 0, 0, 1])])).toMatchObject({
      errno: 98,
      step: "bind",
    });
    expect(await failure([listen(1, 53, [192, 0, 2, 77])])).toMatchObject({ errno: 99, step: "bind" });
    expect(await failure([listen(1, 53, [1, 2, 3])])).toMatchObject({ errno: 22, step: "listen" });
    expect(await failure([listen(77, 53, [127, 0, 0, 1])])).toMatchObject({ step: "socket" });
    expect(await failure([listen(1, 0, [])])).toMatchObject({ errno: 22, step: "listen" });
    const many = Array.from({ length: 145 }, (_, index) => listen(2, 1000 + index, [127, 0, 0, 1]));
    expect(await failure(many)).toMatchObject({ errno: 22, step: "listen" });
    expect(await failure([{ op: "dial", count: 145 }])).toMatchObject({ errno: 22, step: "listen" });
  });

  test("the task has none of the sockets, and can't take their place", async () => {
    const script = "ls -l /proc/self/fd | grep -c socket:; grep -c 00000000:0000 /proc/net/tcp";
    const { output, one } = await run(
      [listen(1, 53, [127, 0, 0, 1]), listen(2, 53, [127, 0, 0, 1]), { op: "dial", count: 99 }],
      script,
    );
    expect(one("ended").status).toBe(0);
    expect(output(1)).toBe("0\n1\n");
  });

  test("a filtered zone's setup is taken by this kernel", async () => {
    for (const ipv6 of [true, false]) {
      const egress = [
        { address: [127, 0, 0, 1], prefix: 32, ports: [80, 90] as const },
        { address: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], prefix: 128, ports: [0, 65_535] as const },
      ];
      const { one } = await run(zoneSetup(ipv6, egress, 128).map(({ op }) => op));
      expect(one("ended").status).toBe(0);
    }
  });
});
