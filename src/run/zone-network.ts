import type { ZoneRules } from "./bridge/zone-rules.ts";
import type { ReportRecord } from "./plan/contract.ts";
import type { Plan } from "./plan/plan.ts";

/** The network modes in which the host has something to do. */
export interface HostNetworks {
  /** Connects a zone to the bridge, with these rules. */
  bridged(zoneId: string, rules: ZoneRules): ZoneNetwork;
}

/** The host's side of one zone's network, for the modes that have one. */
export interface ZoneNetwork {
  /** Hears each record of the launcher's before anyone else, may answer with a word of `control`, and says what to pass on in its place. */
  hear(record: ReportRecord, say: (word: number) => void, plan: Plan): ReportRecord;
  /** The launcher is gone: nothing of the network is left after this, however the zone ended. */
  close(): void;
}
