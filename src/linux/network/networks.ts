import type { ZoneRules } from "../../run/bridge/zone-rules.ts";
import { control, type ReportRecord, stages } from "../../run/plan/contract.ts";
import type { Plan } from "../../run/plan/plan.ts";
import type { HostNetworks, ZoneNetwork } from "../../run/zone-network.ts";
import { type Connection, connectZone, disconnectZone } from "./bridged-zone.ts";
import { NetworkFailure } from "./failure.ts";

export const hostNetworks: HostNetworks = {
  bridged: (zoneId, rules) => new BridgedNetwork(zoneId, rules),
};

/** The bridge's side of one run: connects the zone that waits at its gate, disconnects it when the launcher has cleaned up. */
class BridgedNetwork implements ZoneNetwork {
  readonly #zoneId: string;
  readonly #rules: ZoneRules;
  #connection: Connection | undefined;

  constructor(zoneId: string, rules: ZoneRules) {
    this.#zoneId = zoneId;
    this.#rules = rules;
  }

  hear(record: ReportRecord, say: (word: number) => void, plan: Plan): ReportRecord {
    if (record.record === "network") return this.#connect(record, say, plan);
    if (record.record !== "cleaned") return record;
    const failure = this.#disconnect();
    // What the launcher could not undo comes first: there is room for one.
    if (failure === undefined || record.errno !== 0) return record;
    return { ...record, errno: failure.errno === 0 ? 5 : failure.errno, detail: `${failure.step}: ${failure.detail}` };
  }

  /** The launcher may have ended without its last word. What can't be undone now, the next invocation sweeps. */
  close(): void {
    this.#disconnect();
  }

  #connect(record: ReportRecord & { record: "network" }, say: (word: number) => void, plan: Plan): ReportRecord {
    try {
      this.#connection = connectZone(record.pid, this.#zoneId, this.#rules);
      say(control.go);
      return record;
    } catch (error) {
      if (!(error instanceof NetworkFailure)) throw error;
      say(control.kill);
      const op = plan.ops.findIndex((planned) => planned.op.op === "network_gate");
      const { errno, step, detail } = error;
      return { record: "failed", stage: stages.indexOf("net"), op, errno, step, detail };
    }
  }

  #disconnect(): NetworkFailure | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return undefined;
    try {
      disconnectZone(connection);
      return undefined;
    } catch (error) {
      if (!(error instanceof NetworkFailure)) throw error;
      return error;
    }
  }
}
