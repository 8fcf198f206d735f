/** Links, addresses and routes as the real kernel understands the messages, in the words of iproute2. */
import { describe, expect } from "bun:test";
import { addAddress, addNeighbour, addRoute, deleteAddress, deleteRoute } from "../../../src/run/netlink/address.ts";
import { addBridge, addVethPair, deleteLink, setBridgePort, setLink } from "../../../src/run/netlink/link.ts";
import { needs } from "../../support/identity.ts";
import { hasNetworkTools, inOwnNetwork, type StepResult } from "../../support/own-network.ts";

const test = needs("nft and iproute2", hasNetworkTools);

const everywhere = { address: [0, 0, 0, 0], prefix: 0 };
const everywhere6 = { address: new Array<number>(16).fill(0), prefix: 0 };
const unique = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const pair = addVethPair(
  { name: "host0", mac: [2, 0, 0, 0, 0, 1], mtu: 1400 },
  { name: "zone0", mac: [2, 0, 0, 0, 0, 2] },
);
const zeros = { errno: 0, index: -1, text: "" };

function json(result: StepResult | undefined): Record<string, unknown>[] {
  expect(result?.errno).toBe(0);
  return JSON.parse(result?.output ?? "") as Record<string, unknown>[];
}

/** Number of `name` when devices are made in a fresh namespace in a known order. */
const made = (order: number): number => 2 + order;

describe("the kernel makes", () => {
  test("a pair of devices as told", () => {
    const [done, links] = inOwnNetwork({ route: [pair] }, { run: ["ip", "-j", "-d", "link"] });
    expect(done).toMatchObject(zeros);
    const all = json(links);
    const host = all.find(({ ifname }) => ifname === "host0");
    expect(host).toMatchObject({ link: "zone0", mtu: 1400, address: "02:00:00:00:00:01" });
    expect(host).toMatchObject({ linkinfo: { info_kind: "veth" } });
    expect(all.find(({ ifname }) => ifname === "zone0")).toMatchObject({ address: "02:00:00:00:00:02" });
  });

  test("no end of a pair in a namespace that there is not", () => {
    const nowhere = addVethPair({ name: "host0" }, { name: "zone0", namespace: { pid: 0 } });
    expect(inOwnNetwork({ route: [nowhere] })[0]).toMatchObject({ errno: 3, index: 0 });
    const closed = addVethPair({ name: "host0" }, { name: "zone0", namespace: { fd: 999 } });
    expect(inOwnNetwork({ route: [closed] })[0]).toMatchObject({ errno: 9, index: 0 });
  });

  test("a bridge, and a port of it that is kept apart and learns nothing", () => {
    const [bridge, ports, up, shown] = inOwnNetwork(
      { route: [addBridge({ name: "br0", mac: [2, 0, 0, 0, 0, 9] }), pair] },
      {
        route: [
          setLink("host0", { master: made(0), up: true, alias: "zone_x" }),
          setBridgePort(made(2), { isolated: true, learning: false, unicastFlood: false }),
        ],
      },
      { route: [setLink(made(0), { name: "br1" }), setLink("br1", { up: true })] },
      { run: ["ip", "-j", "-d", "link"] },
    );
    expect([bridge, ports, up]).toMatchObject([zeros, zeros, zeros]);
    const all = json(shown);
    expect(all.find(({ ifname }) => ifname === "br1")).toMatchObject({ address: "02:00:00:00:00:09" });
    expect(all.find(({ ifname }) => ifname === "host0")).toMatchObject({
      master: "br1",
      ifalias: "zone_x",
      linkinfo: { info_slave_data: { isolated: true, learning: false, flood: false, mcast_flood: true } },
    });
  });

  test("addresses of both versions, routes, a neighbour; and takes them away", () => {
    const added = [
      setLink(1, { up: true }),
      addAddress(1, { address: [10, 89, 0, 2], prefix: 32 }),
      addAddress(1, { address: unique, prefix: 128 }),
      addRoute({ to: everywhere, device: 1 }),
      addRoute({ to: everywhere6, device: 1 }),
      pair,
      addAddress(made(1), { address: [192, 0, 2, 1], prefix: 24 }),
      setLink("host0", { up: true }),
      setLink("zone0", { up: true }),
      addRoute({ to: { address: [198, 51, 100, 0], prefix: 24 }, device: made(1), gateway: [192, 0, 2, 7] }),
      addRoute({
        to: { address: [203, 0, 113, 0], prefix: 24 },
        device: made(1),
        gateway: [10, 9, 9, 9],
        onLink: true,
      }),
      addNeighbour(made(1), [192, 0, 2, 7], [2, 0, 0, 0, 0, 7]),
    ];
    const show = (what: string, version = "-4"): { readonly run: string[] } => ({ run: ["ip", "-j", version, what] });
    const [done, addresses, routes, routes6, neighbours, removed, after] = inOwnNetwork(
      { route: added },
      { run: ["ip", "-j", "addr", "show", "lo"] },
      show("route"),
      show("route", "-6"),
      show("neigh"),
      {
        route: [
          deleteAddress(1, { address: [10, 89, 0, 2], prefix: 32 }),
          deleteRoute({ to: everywhere6, device: 1 }),
          deleteLink("host0"),
        ],
      },
      { run: ["ip", "-j", "addr"] },
    );
    expect([done, removed]).toMatchObject([zeros, zeros]);
    const [lo] = json(addresses) as unknown as [{ addr_info: { local: string; scope: string }[] }];
    expect(lo.addr_info.map(({ local, scope }) => `${local} ${scope}`).sort()).toEqual([
      "10.89.0.2 global",
      "127.0.0.1 host",
      "::1 host",
      "fd00::1 global",
    ]);
    const v4 = json(routes);
    expect(v4).toContainEqual(expect.objectContaining({ dst: "default", dev: "lo" }));
    expect(v4).toContainEqual(expect.objectContaining({ dst: "198.51.100.0/24", gateway: "192.0.2.7", dev: "host0" }));
    expect(v4).toContainEqual(expect.objectContaining({ dst: "203.0.113.0/24", flags: ["onlink"] }));
    expect(json(routes6)).toContainEqual(expect.objectContaining({ dst: "default", dev: "lo" }));
    expect(json(neighbours)).toContainEqual(
      expect.objectContaining({ dst: "192.0.2.7", lladdr: "02:00:00:00:00:07", state: ["PERMANENT"] }),
    );
    expect(json(after).map(({ ifname }) => ifname)).toEqual(["lo"]);
  });

  test("nothing of what it refuses, and says which message it was", () => {
    const [twice, gone] = inOwnNetwork(
      {
        route: [
          setLink(1, { up: true }),
          addAddress(1, { address: [10, 0, 0, 1], prefix: 8 }),
          addAddress(1, { address: [10, 0, 0, 1], prefix: 8 }),
        ],
      },
      { route: [deleteLink("none0")] },
    );
    expect(twice).toMatchObject({ errno: 17, index: 2 });
    expect(gone).toMatchObject({ errno: 19, index: 0 });
  });
});
