import type { PublishedPort } from "../bridge/publish.ts";
import type { EgressRules } from "./egress-rules.ts";
import type { gatewaySockets } from "./gateway/contract.ts";
import type { Proxies } from "./proxy.ts";

/** The part of a plan that a zone's gateway works by. */
export interface EgressPlan {
  readonly rules: EgressRules;
  /** Of the caller's environment: how connections leave the host. */
  readonly proxies: Proxies;
  /** Which sockets the launcher hands out, in its order. */
  readonly sockets: readonly (typeof gatewaySockets)[number][];
  /** Ports of the host that lead to the zone; with any, the launcher hands out dialers behind those sockets. */
  readonly publish: readonly PublishedPort[];
}
