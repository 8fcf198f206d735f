import { gateway, zonesNetwork } from "../run/bridge/names.ts";
import { isSpecial, isWithin, specialNetworks } from "../run/bridge/special.ts";
import type { Network } from "../run/netlink/address.ts";
import { formatAddress } from "../run/policy/address.ts";
import { type Endpoint, parseEndpoint } from "../run/policy/endpoint.ts";
import type { Policy } from "../run/policy/policy.ts";
import { way } from "./contract.ts";
import { mergePorts, type PortRange, portsRecord } from "./port-ranges.ts";
import { encodeRecord, fieldOffset } from "./record.ts";
import type { Put } from "./zone-entry.ts";

/** Ports of a network that a list names, but for the networks inside it that it does not mean. */
interface Rule {
  readonly network: Network;
  readonly ports: PortRange;
  readonly except: readonly Network[];
}

const allPorts: PortRange = [0, 65_535];

/**
 * A policy's lists of addresses as writes to the prefix tree `rauha_addresses`. The texts are valid endpoints. Throws where the ports of a
 * network are too many for its record.
 */
export function addressPuts(network: Policy["network"], zone: bigint): Put[] {
  const out = network.mode === "bridged" ? bridgedRules(network) : plainRules(network.allowedEgress);
  return [...treePuts(out, way.out, zone), ...treePuts(plainRules(network.allowedIngress), way.in, zone)];
}

function plainRules(list: readonly string[]): Rule[] {
  return endpointsOf(list).map(({ address, prefix, ports }) => ({ network: { address, prefix }, ports, except: [] }));
}

/**
 * What a zone of mode `bridged` may send to, as the bridge's chain has it: an entry for everything does not mean private and reserved
 * networks, which only an entry within them opens. Other zones are left to the chain, which knows who listed whom, and only if this one
 * lists any; the host's own address on the bridge is not. IPv6, which the mode has not, is passed over.
 */
function bridgedRules({ allowedEgress, allowedZones }: Policy["network"]): Rule[] {
  const rules = endpointsOf(allowedEgress)
    .filter(({ address }) => address.length === 4)
    .map(({ address, prefix, ports }): Rule => {
      const network = { address, prefix };
      const except = isSpecial(network) ? [] : specialNetworks.filter((special) => isWithin(special, network));
      return { network, ports, except };
    });
  if (allowedZones.length === 0) return rules;
  return [...rules, { network: zonesNetwork, ports: allPorts, except: [{ address: gateway, prefix: 32 }] }];
}

function endpointsOf(list: readonly string[]): Endpoint[] {
  return list.map((text) => {
    const parsed = parseEndpoint(text);
    if (!parsed.ok) throw new RangeError(`${text} is no endpoint`);
    return parsed.value;
  });
}

/** A network as the tree has it, version 4 mapped into version 6. */
interface TreeNetwork {
  readonly address: bigint;
  readonly prefix: number;
}

interface Node {
  readonly network: TreeNetwork;
  readonly text: string;
  /** The rules for this very network. */
  readonly own: Rule[];
}

/**
 * One entry for each network that a rule names or leaves out. The tree answers with the longest prefix alone, so each entry has the ports of
 * all networks around it as well. In the order of addresses whatever lies around a network comes before it.
 */
function treePuts(rules: readonly Rule[], direction: number, zone: bigint): Put[] {
  const nodes = new Map<string, Node>();
  const nodeOf = (network: Network): Node => {
    const key = keyOf(network);
    const node = nodes.get(key) ?? { network: mapped(network), text: key, own: [] };
    nodes.set(key, node);
    return node;
  };
  for (const rule of rules) {
    nodeOf(rule.network).own.push(rule);
    rule.except.forEach(nodeOf);
  }
  const around: { readonly network: TreeNetwork; readonly rules: readonly Rule[] }[] = [];
  return [...nodes.values()].toSorted(byAddress).map(({ network, text, own }) => {
    while (around.length > 0 && !holds(around.at(-1)?.network, network)) around.pop();
    const inherited = (around.at(-1)?.rules ?? []).filter(({ except }) => !except.some((one) => keyOf(one) === text));
    const meant = [...inherited, ...own];
    around.push({ network, rules: meant });
    const value = portsRecord(mergePorts(meant.map(({ ports }) => ports)), text);
    return { map: "rauha_addresses", key: addressKey(network, direction, zone), value, exclusive: false };
  });
}

function keyOf({ address, prefix }: Network): string {
  return `${formatAddress(address)}/${prefix}`;
}

function byAddress({ network: one }: Node, { network: other }: Node): number {
  if (one.address !== other.address) return one.address < other.address ? -1 : 1;
  return one.prefix - other.prefix;
}

function holds(outer: TreeNetwork | undefined, inner: TreeNetwork): boolean {
  if (outer === undefined || outer.prefix > inner.prefix) return false;
  return (outer.address ^ inner.address) >> BigInt(128 - outer.prefix) === 0n;
}

/** ::ffff:0:0/96 for version 4. */
function mapped({ address, prefix }: Network): TreeNetwork {
  const number = address.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return address.length === 16
    ? { address: number, prefix }
    : { address: (0xffffn << 32n) | number, prefix: prefix + 96 };
}

/** Bits of a key before the address: way and zone. */
const bitsBefore = 8 * (fieldOffset("address", "address") - fieldOffset("address", "way"));

function addressKey({ address, prefix }: TreeNetwork, direction: number, zone: bigint): Uint8Array {
  const bytes = Uint8Array.fromHex(address.toString(16).padStart(32, "0"));
  return encodeRecord("address", { prefix: bitsBefore + prefix, way: direction, zone, address: bytes });
}
