/** One attempt of a program in the zone to reach something outside, or the other way round, and what came of it. */
export interface EgressAttempt {
  /** Somebody outside connected to a port that the zone publishes: address and port are theirs. */
  readonly inbound?: true;
  readonly decision: "allow" | "deny";
  readonly protocol: "tcp" | "udp" | "icmp" | "dns" | "other";
  /** The name that was asked for, or that decided. */
  readonly name: string | null;
  /** What was connected to; of a denied attempt, what was tried. */
  readonly address: string | null;
  readonly port: number | null;
  /** Which rule allowed it, or why none does. */
  readonly why: string;
  /** The policy key that decides; of a denied attempt, the one that would allow it. */
  readonly policyKey: string | null;
  /** Bytes of the program's that went out, and that came in; null where nothing flowed. */
  readonly sentBytes: number | null;
  readonly receivedBytes: number | null;
  readonly durationMs: number | null;
  /** The errno that ended it; 0 for none. */
  readonly error: number;
}

/** How many attempts of each decision a run lists; what goes beyond is counted. */
export const attemptsMax = 512;

/** An attempt that was denied. */
export function denied(
  what: Pick<EgressAttempt, "protocol" | "name" | "address" | "port">,
  why: string,
  policyKey: string | null,
): EgressAttempt {
  return {
    decision: "deny",
    ...what,
    why,
    policyKey,
    sentBytes: null,
    receivedBytes: null,
    durationMs: null,
    error: 0,
  };
}
