import type { Address } from "../policy/address.ts";
import type { admitSpoken } from "./admission.ts";
import type { StreamQueries } from "./dns-stream.ts";

/** A connection that a program of the zone opened, from the first packet to the last. */
export interface Connection {
  readonly id: number;
  readonly address: Address;
  readonly port: number;
  readonly openedMs: number;
  phase: "hearing" | "resolving" | "flowing" | "dns";
  /** Whether the gateway was told to connect. */
  connected: boolean;
  standing: Parameters<typeof admitSpoken>[3];
  heard: Uint8Array;
  /** When a program that has begun to speak must have finished. */
  deadline: number;
  name: string | null;
  why: string;
  policyKey: string;
  /** Where to connect, in this order; the first is where it was connected last. */
  candidates: Address[];
  queries?: StreamQueries;
  /** The way through a proxy: what it has said, and once it has connected, how much of that was its own. */
  proxy?: { said: Uint8Array; length?: number; refusal?: string };
}

/** How long a program may take to say where it wants to go. */
export const speakMs = 10_000;

/** A connection of which nothing is known but where it goes. */
export function newConnection(id: number, address: Address, port: number, nowMs: number): Connection {
  return {
    id,
    address,
    port,
    openedMs: nowMs,
    phase: "hearing",
    connected: false,
    standing: "unknown",
    heard: new Uint8Array(),
    deadline: nowMs + speakMs,
    name: null,
    why: "",
    policyKey: "network.allowed_domains",
    candidates: [address],
  };
}
