/** Rules as the real kernel understands the messages, in the words of nft: what we mean is what it will do. */
import { describe, expect } from "bun:test";
import * as nft from "../../../src/run/netlink/nftables/batch.ts";
import * as does from "../../../src/run/netlink/nftables/expression.ts";
import * as when from "../../../src/run/netlink/nftables/match.ts";
import { needs } from "../../support/identity.ts";
import { hasNetworkTools, inOwnNetwork, rulesetItems } from "../../support/own-network.ts";

const test = needs("nft and iproute2", hasNetworkTools);

const filter: nft.Hook = { type: "filter", hook: "output", priority: 0, policy: "accept" };
const nat = { type: "nat", priority: -100, policy: "accept" } as const;
const unique = { address: [0xfd, ...new Array<number>(15).fill(0)], prefix: 8 };

/** The text that nft has for one rule of a chain. */
function asNftSays(family: nft.Family, hook: nft.Hook, ...rule: readonly does.Expression[]): string | undefined {
  const table = { family, name: "t" } as const;
  const [done, shown] = inOwnNetwork(
    {
      nftables: nft.transaction([
        nft.addTable(table),
        nft.addChain(table, "other"),
        nft.addChain(table, "c", hook),
        nft.addRule(table, "c", rule),
      ]),
    },
    { run: ["nft", "list", "chain", family, "t", "c"] },
  );
  expect(done).toMatchObject({ errno: 0, text: "" });
  const lines = (shown?.output ?? "").split("\n").map((line) => line.trim());
  // After the lines of the table, the chain, and its type.
  return lines[3];
}

describe("in a table of IPv4, nft reads", () => {
  const rules: readonly (readonly [string, readonly does.Expression[]])[] = [
    ['iifname "rauha0" accept', [...when.device("iifname", "rauha0"), does.decide("accept")]],
    ['oifname != "rauha0" drop', [...when.device("oifname", "rauha0", "!="), does.decide("drop")]],
    [
      "ip saddr 10.89.0.2 return",
      [...when.address("source", { address: [10, 89, 0, 2], prefix: 32 }), does.decide("return")],
    ],
    [
      "ip daddr 10.0.0.0/9 accept",
      [...when.address("destination", { address: [10, 0, 0, 0], prefix: 9 }), does.decide("accept")],
    ],
    [
      "ip daddr != 172.16.0.0/12 drop",
      [...when.address("destination", { address: [172, 16, 0, 0], prefix: 12 }, "!="), does.decide("drop")],
    ],
    ["accept", [...when.address("destination", { address: [0, 0, 0, 0], prefix: 0 }), does.decide("accept")]],
    ["tcp dport 443 accept", [...when.protocol("tcp"), ...when.port("destination", [443, 443]), does.decide("accept")]],
    ["udp sport 8000-8999 drop", [...when.protocol("udp"), ...when.port("source", [8000, 8999]), does.decide("drop")]],
    [
      "meta l4proto tcp accept",
      [...when.protocol("tcp"), ...when.port("destination", [0, 65535]), does.decide("accept")],
    ],
    ["meta l4proto != tcp drop", [...when.protocol("tcp", "!="), does.decide("drop")]],
    ["ct state established,related accept", [...when.connection("established", "related"), does.decide("accept")]],
    ["ct state invalid drop", [...when.connection("invalid"), does.decide("drop")]],
    ["ct mark 0x00000005 accept", [...when.mark("connection", 5), does.decide("accept")]],
    ["meta mark != 0x00000007 drop", [...when.mark("packet", 7, "!="), does.decide("drop")]],
    ["ct mark set 0x00000009", does.setMark("connection", 9)],
    ["meta mark set 0x0000000a", does.setMark("packet", 10)],
    ["meta skuid 12321 accept", [...when.socketOwner(12321), does.decide("accept")]],
    ["fib daddr type local drop", [...when.isLocal(), does.decide("drop")]],
    ["icmp type redirect drop", [...when.protocol("icmp"), ...when.icmpType(5), does.decide("drop")]],
    ["jump other", [does.decide({ jump: "other" })]],
    ["goto other", [does.decide({ goto: "other" })]],
    ["counter packets 0 bytes 0 drop", [does.count(), does.decide("drop")]],
    ["reject with tcp reset", [...when.protocol("tcp"), does.reject("reset")]],
    ["reject with icmp admin-prohibited", [does.reject({ family: "ip", why: "prohibited" })]],
    ["reject", [does.reject({ family: "ip", why: "port" })]],
  ];
  for (const [text, rule] of rules) test(text, () => expect(asNftSays("ip", filter, ...rule)).toBe(text));
});

describe("in other tables, nft reads", () => {
  const accept = does.decide("accept");
  const inet: readonly (readonly [string, readonly does.Expression[]])[] = [
    ["ip6 daddr fd00::/8 accept", [...when.version("ip6"), ...when.address("destination", unique), accept]],
    [
      "ip saddr 127.0.0.1 accept",
      [...when.version("ip"), ...when.address("source", { address: [127, 0, 0, 1], prefix: 32 }), accept],
    ],
    ["meta nfproto ipv6 drop", [...when.version("ip6"), does.decide("drop")]],
    ["reject with icmpx admin-prohibited", [does.reject({ family: "inet", why: "prohibited" })]],
  ];
  for (const [text, rule] of inet) test(`inet: ${text}`, () => expect(asNftSays("inet", filter, ...rule)).toBe(text));

  const translated: readonly (readonly [nft.Family, nft.Hook, string, readonly does.Expression[]])[] = [
    [
      "inet",
      { ...nat, hook: "output" },
      "meta l4proto tcp redirect to :5300",
      [...when.protocol("tcp"), ...does.redirectTo(5300)],
    ],
    [
      "ip6",
      { ...nat, hook: "output" },
      "udp dport 53 redirect to :5300",
      [...when.protocol("udp"), ...when.port("destination", [53, 53]), ...does.redirectTo(5300)],
    ],
    [
      "ip",
      { ...nat, hook: "postrouting", priority: 100 },
      "ip saddr 10.89.0.0/16 masquerade",
      [...when.address("source", { address: [10, 89, 0, 0], prefix: 16 }), does.masquerade()],
    ],
    [
      "ip",
      { ...nat, hook: "prerouting" },
      "tcp dport 8080 dnat to 10.89.0.2:80",
      [...when.protocol("tcp"), ...when.port("destination", [8080, 8080]), ...does.sendTo([10, 89, 0, 2], 80)],
    ],
  ];
  for (const [family, hook, text, rule] of translated)
    test(`${family}: ${text}`, () => expect(asNftSays(family, hook, ...rule)).toBe(text));

  const ingress: nft.Hook = { type: "filter", hook: "ingress", priority: 0, policy: "drop", device: "lo" };
  const sender = [2, 0, 0, 0, 0, 1];
  const frames: readonly (readonly [string, readonly does.Expression[]])[] = [
    [
      "@ll,48,48 0x20000000001 ip saddr 10.89.0.2 accept",
      [
        ...when.mac("source", sender),
        ...when.etherType("ip"),
        ...when.address("source", { address: [10, 89, 0, 2], prefix: 32 }),
        accept,
      ],
    ],
    [
      "arp saddr ether 02:00:00:00:00:01 arp saddr ip 10.89.0.2 accept",
      [...when.etherType("arp"), ...when.arpSender(sender, [10, 89, 0, 2]), accept],
    ],
  ];
  for (const [text, rule] of frames)
    test(`netdev: ${text}`, () => expect(asNftSays("netdev", ingress, ...rule)).toBe(text));
});

describe("the kernel keeps", () => {
  const table = { family: "ip", name: "t" } as const;
  const zone = new Uint8Array([10, 89, 0, 2]);
  const other = new Uint8Array([10, 89, 0, 3]);
  const sets = [
    nft.addTable(table),
    nft.addChain(table, "zone"),
    nft.addSet(table, { name: "zones", key: ["ipv4"], verdicts: true }),
    nft.addSet(table, { name: "pairs", key: ["ipv4", "ipv4"] }),
    nft.addElements(table, "zones", [{ key: [zone], verdict: { jump: "zone" } }]),
    nft.addElements(table, "pairs", [{ key: [zone, other] }, { key: [other, zone] }]),
    nft.addChain(table, "c", filter),
    nft.addRule(table, "c", [when.loadAddress("source", "ip"), does.verdictOf("zones")]),
    nft.addRule(table, "c", [
      when.loadAddress("source", "ip"),
      when.loadAddress("destination", "ip", 9),
      does.isInSet("pairs"),
      does.decide("accept"),
    ]),
  ];

  test("sets of pairs and maps to verdicts, and rules that look them up", () => {
    const [done, shown] = inOwnNetwork(
      { nftables: nft.transaction(sets) },
      { run: ["nft", "list", "table", "ip", "t"] },
    );
    expect(done).toMatchObject({ errno: 0, text: "" });
    const lines = (shown?.output ?? "").split("\n").map((line) => line.trim());
    expect(lines).toContain("type ipv4_addr : verdict");
    expect(lines).toContain("elements = { 10.89.0.2 : jump zone }");
    expect(lines).toContain("type ipv4_addr . ipv4_addr");
    expect(lines).toContain("ip saddr vmap @zones");
    expect(lines).toContain("ip saddr . ip daddr @pairs accept");
  });

  test("of a transaction all or nothing", () => {
    const broken = [...sets, nft.deleteChain(table, "zone")];
    const [refused, shown] = inOwnNetwork(
      { nftables: nft.transaction(broken) },
      { run: ["nft", "-j", "list", "ruleset"] },
    );
    // Index 0 is the mark of the begin. The chain is jumped to.
    expect(refused).toMatchObject({ errno: 16, index: broken.length });
    expect(rulesetItems(shown?.output ?? "", "table")).toEqual([]);
  });

  test("nothing that was taken away: elements by their key, then their chain, then the table", () => {
    const gone = [
      nft.deleteElements(table, "zones", [{ key: [zone] }]),
      nft.deleteElements(table, "pairs", [{ key: [zone, other] }]),
      nft.deleteChain(table, "zone"),
    ];
    const [done, removed, left, all, none, missing] = inOwnNetwork(
      { nftables: nft.transaction(sets) },
      { nftables: nft.transaction(gone) },
      { run: ["nft", "-j", "list", "ruleset"] },
      { nftables: nft.transaction([nft.flushChain(table, "c"), nft.deleteTable(table)]) },
      { run: ["nft", "-j", "list", "ruleset"] },
      { nftables: nft.transaction([nft.deleteTable(table)]) },
    );
    expect([done, removed, all]).toMatchObject([{ errno: 0 }, { errno: 0 }, { errno: 0 }]);
    expect(rulesetItems(left?.output ?? "", "chain")).toMatchObject([
      { name: "c", hook: "output", prio: 0, policy: "accept" },
    ]);
    expect(rulesetItems(left?.output ?? "", "set")).toMatchObject([
      { name: "pairs", elem: [{ concat: ["10.89.0.3", "10.89.0.2"] }] },
    ]);
    expect(rulesetItems(none?.output ?? "", "table")).toEqual([]);
    expect(missing).toMatchObject({ errno: 2, index: 1 });
  });
});
