import type { EgressAttempt } from "../network/attempt.ts";
import { errnoName } from "../report/errno.ts";
import type { Report } from "../report/report.ts";
import type { EnforcementEvent, ResultEvent } from "./schema.ts";

/** What an event of `rauha.network.egress` says besides the common keys. What is not known is left out. */
export function egressKeys(attempt: EgressAttempt): Partial<ResultEvent> {
  const keys = {
    "network.protocol": attempt.protocol,
    "network.name": attempt.name,
    "network.address": attempt.address,
    "network.port": attempt.port,
    "network.sent_bytes": attempt.sentBytes,
    "network.received_bytes": attempt.receivedBytes,
    duration_ms: attempt.durationMs === null ? null : Math.round(attempt.durationMs),
    why: attempt.why,
    policy_key: attempt.policyKey,
    "error.kind": attempt.error === 0 ? null : errnoName(attempt.error),
  };
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== null));
}

/** Attempts that were denied, as enforcement events. The gateway sees sockets, not processes: none is named. */
export function projectEgress(report: Report): EnforcementEvent[] {
  return report.egress.flatMap(({ at, attempt }) => {
    if (attempt.decision === "allow") return [];
    const object = egressObject(attempt);
    const action = attempt.protocol === "dns" ? "resolve" : attempt.protocol === "tcp" ? "connect" : "send";
    return {
      timestamp: new Date(at).toISOString(),
      hook: "network_gateway",
      action,
      decision: "deny",
      message: `${action} ${object} by ${attempt.protocol} denied: ${attempt.why}`,
      pid: null,
      comm: null,
      source_zone: report.plan.zoneId,
      target_zone: null,
      object,
      why: attempt.why,
      ...(attempt.policyKey === null ? {} : { policy_key: attempt.policyKey }),
    };
  });
}

/** `example.org (192.0.2.1:443)`, as much of it as is known. */
function egressObject({ name, address, port, protocol }: EgressAttempt): string {
  if (protocol === "dns") return name ?? "";
  const host = address?.includes(":") === true && port !== null ? `[${address}]` : (address ?? "");
  const place = port === null ? host : `${host}:${port}`;
  return name === null ? place : `${name} (${place})`;
}
