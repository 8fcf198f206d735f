/** The rules of bridged zones, as nft reads them back from the kernel. */
import { describe, expect } from "bun:test";
import { addBase, addSwitched, removeTable } from "../../../src/run/bridge/base.ts";
import { frameTable, packetTable, zonePlace } from "../../../src/run/bridge/names.ts";
import {
  addFrameRules,
  addZoneRules,
  removeFrameRules,
  removeZoneRules,
  type ZoneRules,
  zonePairs,
} from "../../../src/run/bridge/zone-rules.ts";
import { addVethPair } from "../../../src/run/netlink/link.ts";
import type { NetlinkMessage } from "../../../src/run/netlink/message.ts";
import { transaction } from "../../../src/run/netlink/nftables/batch.ts";
import { parseEndpoint } from "../../../src/run/policy/endpoint.ts";
import { needs } from "../../support/identity.ts";
import { hasNetworkTools, inOwnNetwork, type Step } from "../../support/own-network.ts";

const test = needs("nft and iproute2", hasNetworkTools);

const [one, other, third] = [zonePlace(2), zonePlace(300), zonePlace(65534)];
const entry = (text: string) => {
  const read = parseEndpoint(text);
  if (!read.ok) throw new Error(text);
  return read.value;
};
const rules = (changes: Partial<ZoneRules> = {}): ZoneRules => ({
  name: "a",
  allowedZones: [],
  egress: [],
  ingress: [],
  resolvers: [],
  publish: [],
  ...changes,
});
const batch = (...messages: readonly NetlinkMessage[]): Step => ({ nftables: transaction(messages) });
const list = (...what: readonly string[]): Step => ({ run: ["nft", "list", ...what] });

/** The lines of a chain after these transactions on top of the base. */
function chain(name: string, ...messages: readonly NetlinkMessage[]): string[] {
  const results = inOwnNetwork(batch(...addBase()), batch(...messages), list("chain", "ip", "rauha", name));
  expect(results.map(({ errno }) => errno)).toEqual([0, 0, 0]);
  const lines = (results[2]?.output ?? "").split("\n").map((line) => line.trim());
  return lines.slice(2, lines.indexOf("}"));
}

describe("a zone's own chain", () => {
  test("names special networks before it refuses them, and all else after", () => {
    const egress = ["0.0.0.0/0:443", "10.1.0.0/16:5432", "169.254.169.254:80", "192.0.2.0/24:8000-8999"].map(entry);
    expect(chain("from-10.89.0.2", ...addZoneRules(one, rules({ egress })))).toEqual([
      "ip daddr 10.1.0.0/16 tcp dport 5432 accept",
      "ip daddr 10.1.0.0/16 udp dport 5432 accept",
      "ip daddr 169.254.169.254 tcp dport 80 accept",
      "ip daddr 169.254.169.254 udp dport 80 accept",
      "jump special",
      "tcp dport 443 accept",
      "udp dport 443 accept",
      "ip daddr 192.0.2.0/24 tcp dport 8000-8999 accept",
      "ip daddr 192.0.2.0/24 udp dport 8000-8999 accept",
      "goto refuse",
    ]);
  });

  test("lets every port be echo requests too, and nothing else of ICMP", () => {
    expect(chain("from-10.89.0.2", ...addZoneRules(one, rules({ egress: [entry("192.0.2.1:*")] })))).toEqual([
      "jump special",
      "ip daddr 192.0.2.1 meta l4proto tcp accept",
      "ip daddr 192.0.2.1 meta l4proto udp accept",
      "ip daddr 192.0.2.1 icmp type echo-request accept",
      "goto refuse",
    ]);
  });

  test("without entries refuses everything, either way", () => {
    expect(chain("from-10.89.0.2", ...addZoneRules(one, rules()))).toEqual(["jump special", "goto refuse"]);
    expect(chain("to-10.89.0.2", ...addZoneRules(one, rules()))).toEqual(["goto refuse"]);
  });

  test("lets in by the source's address and the zone's port", () => {
    expect(chain("to-10.89.0.2", ...addZoneRules(one, rules({ ingress: [entry("192.0.2.0/24:80")] })))).toEqual([
      "ip saddr 192.0.2.0/24 tcp dport 80 accept",
      "ip saddr 192.0.2.0/24 udp dport 80 accept",
      "goto refuse",
    ]);
  });
});

describe("a published port", () => {
  const publish = [
    { address: [127, 0, 0, 1], port: 8080, zonePort: 80 },
    { address: [0, 0, 0, 0], port: 8443, zonePort: 443 },
  ];

  test("leads to the zone's, and is let in there", () => {
    expect(chain("publish-10.89.0.2", ...addZoneRules(one, rules({ publish })))).toEqual([
      "ip daddr 127.0.0.1 tcp dport 8080 dnat to 10.89.0.2:80",
      "tcp dport 8443 dnat to 10.89.0.2:443",
    ]);
    expect(chain("to-10.89.0.2", ...addZoneRules(one, rules({ publish })))).toEqual([
      "ct status dnat tcp dport 80 accept",
      "ct status dnat tcp dport 443 accept",
      "goto refuse",
    ]);
  });

  test("is one zone's alone: the kernel takes no second one", () => {
    const results = inOwnNetwork(
      batch(...addBase()),
      batch(...addZoneRules(one, rules({ publish }))),
      batch(...addZoneRules(other, rules({ publish }))),
      list("map", "ip", "rauha", "published"),
    );
    expect(results.map(({ errno }) => errno)).toEqual([0, 0, 17, 0]);
    expect(results[3]?.output).toContain("127.0.0.1 . 8080 : jump publish-10.89.0.2");
  });
});

describe("the shared table", () => {
  test("accepts of the way back only what answers, and drops what no zone's chain accepted", () => {
    expect(chain("crossing")).toEqual([
      "ct state invalid drop",
      "icmp type redirect drop",
      "meta l4proto icmp ct state related accept",
      "ct direction reply ct state established,related accept",
      'iifname "rauha0" oifname "rauha0" ip saddr . ip daddr @pairs accept',
      'iifname "rauha0" oifname "rauha0" goto refuse',
      'iifname "rauha0" ip saddr . ip daddr @resolvers jump names',
      'iifname "rauha0" ip saddr vmap @from_zone',
      'oifname "rauha0" ip daddr vmap @to_zone',
      "drop",
    ]);
  });

  test("has no say about packets that are no zone's", () => {
    for (const [name, hook] of [
      ["input", "iifname"],
      ["output", "oifname"],
    ] as const) {
      const lines = chain(name);
      expect(lines[0]).toContain("policy accept");
      expect(lines.slice(1)).toEqual([`${hook} "rauha0" jump ${name === "input" ? "to_host" : "from_host"}`]);
    }
    expect(chain("forward").slice(1)).toEqual([
      'iifname "rauha0" jump crossing',
      'oifname "rauha0" jump crossing',
      "iifname @switched drop",
    ]);
    expect(chain("published_out").slice(1)).toEqual([
      "ip daddr . tcp dport vmap @published",
      "fib daddr type local tcp dport vmap @published_everywhere",
    ]);
    expect(chain("postrouting").slice(1)).toEqual([
      'ip saddr 10.89.0.0/16 oifname != "rauha0" masquerade',
      'ip saddr 127.0.0.0/8 oifname "rauha0" masquerade',
    ]);
  });

  test("is made once: made again, the kernel says that it is there, and it is as it was", () => {
    const results = inOwnNetwork(batch(...addBase()), list("ruleset"), batch(...addBase()), list("ruleset"));
    expect(results.map(({ errno }) => errno)).toEqual([0, 0, 17, 0]);
    expect(results[3]?.output).toBe(results[1]?.output as string);
  });

  test("knows devices that forward for zones only", () => {
    const results = inOwnNetwork(
      batch(...addBase()),
      batch(...addSwitched(["eth0", "wlan0"])),
      list("set", "ip", "rauha", "switched"),
    );
    expect(results[2]?.output).toMatch(/elements = \{ "(eth0",\s+"wlan0|wlan0",\s+"eth0)" \}/);
    expect(addSwitched([])).toEqual([]);
  });
});

describe("pairs of zones", () => {
  const zone = (place: typeof one, name: string, ...allowedZones: string[]) => ({
    place,
    rules: { name, allowedZones },
  });
  const pairs = (...zones: ReturnType<typeof zone>[]): string[] => {
    const results = inOwnNetwork(batch(...addBase()), batch(...zonePairs(zones)), list("set", "ip", "rauha", "pairs"));
    return [...(results[2]?.output ?? "").matchAll(/10\.89[\d.]+ \. 10\.89[\d.]+/g)].map(([pair]) => pair).sort();
  };

  test("are those that both list, in both directions; a name may be several zones'", () => {
    expect(pairs(zone(one, "a", "b"), zone(other, "b", "a"), zone(third, "b"))).toEqual([
      "10.89.0.2 . 10.89.1.44",
      "10.89.1.44 . 10.89.0.2",
    ]);
    expect(pairs(zone(one, "a", "a"), zone(other, "a", "a"))).toHaveLength(2);
    expect(pairs(zone(one, "a", "a"))).toEqual([]);
    expect(pairs(zone(one, "a", "b"), zone(other, "b"))).toEqual([]);
  });

  test("of many zones fit", () => {
    const many = Array.from({ length: 60 }, (_, i) => zone(zonePlace(2 + i), "a", "a"));
    expect(pairs(...many)).toHaveLength(60 * 59);
  });
});

describe("what a zone leaves", () => {
  const full = rules({
    egress: [entry("0.0.0.0/0:443")],
    ingress: [entry("0.0.0.0/0:80")],
    resolvers: [[192, 0, 2, 53]],
    publish: [{ address: [127, 0, 0, 1], port: 8080, zonePort: 80 }],
  });

  test("is nothing, whether all, some or none of it was there, and others keep theirs", () => {
    const removal = batch(...removeZoneRules(one, full));
    const results = inOwnNetwork(
      batch(...addBase()),
      batch(...addZoneRules(other, { ...full, publish: [{ address: [0, 0, 0, 0], port: 8081, zonePort: 80 }] })),
      list("table", "ip", "rauha"),
      removal,
      batch(...addZoneRules(one, full)),
      removal,
      batch(...addZoneRules(one, rules())),
      removal,
      list("table", "ip", "rauha"),
      batch(...removeTable(packetTable)),
      batch(...removeTable(packetTable), ...removeTable(frameTable)),
      removal,
      list("ruleset"),
    );
    // The last removal: without the table there is nothing to remove.
    expect(results.map(({ errno }) => errno)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0]);
    expect(results[8]?.output).toBe(results[2]?.output as string);
    expect(results[12]?.output).toBe("");
  });

  test("of its device's rules too", () => {
    const pair: Step = { route: [addVethPair({ name: one.device }, { name: "peer" })] };
    const results = inOwnNetwork(
      pair,
      batch(...addFrameRules(one)),
      list("chain", "netdev", "rauha", one.device),
      batch(...removeFrameRules(one)),
      batch(...removeFrameRules(one)),
    );
    expect(results.map(({ errno }) => errno)).toEqual([0, 0, 0, 0, 2]);
    const lines = (results[2]?.output ?? "").split("\n").map((line) => line.trim());
    expect(lines.slice(2, 5)).toEqual([
      `type filter hook ingress device "${one.device}" priority filter; policy drop;`,
      "@ll,48,48 0x25248010002 ip saddr 10.89.0.2 accept",
      "@ll,48,48 0x25248010002 arp saddr ether 02:52:48:01:00:02 arp saddr ip 10.89.0.2 accept",
    ]);
  });
});
