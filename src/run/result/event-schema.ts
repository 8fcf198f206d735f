import { z } from "../zod.ts";
import { amount, described, enforcementMode, text, timestamp, trustLevel } from "./schema-parts.ts";

/** The events of a result: facts of a zone's life, and what the kernel denied. Names and keys are append-only. */

const kinds = [
  "lifecycle",
  "policy",
  "execution",
  "filesystem",
  "network",
  "resource",
  "enforcement",
  "audit",
  "cleanup",
  "backend",
  "error",
] as const;

const outcomes = [
  "started",
  "succeeded",
  "failed",
  "denied",
  "allowed",
  "skipped",
  "degraded",
  "timed_out",
  "cancelled",
] as const;

const optional = (description: string) => described(z.optional(z.string()), description);

/** Loose: an event of one kind may carry facts of its own under further dotted keys. */
export const eventSchema = described(
  z.looseObject({
    "event.name": described(
      z.string().check(z.regex(/^rauha(\.[a-z_]+){2,3}$/)),
      "rauha.<domain>.<object>.<transition>",
    ),
    "event.version": described(z.literal(1), "Version of this event's form"),
    "event.kind": described(z.enum(kinds), "What it is about"),
    "event.outcome": described(z.enum(outcomes), "How it went"),
    timestamp: timestamp(),
    level: described(z.enum(["debug", "info", "warn", "error"]), "How much it matters"),
    task_id: optional("The task it belongs to"),
    zone_id: optional("The zone it belongs to"),
    zone_name: optional("Name of a zone that has one"),
    container_id: optional("The container it belongs to"),
    command_hash: optional("sha256 of the command; never the command itself"),
    image_ref: optional("The image as it was asked for"),
    policy_name: optional("Name of the policy"),
    policy_hash: optional("Hash of the policy"),
    "backend.name": optional("What ran the zone"),
    "backend.platform": optional("Operating system of the host"),
    "backend.enforcement_mode": described(z.optional(enforcementMode()), "What the kernel did with the rules"),
    duration_ms: described(z.optional(amount()), "How long it took"),
    "error.code": optional("Stable name of the failure"),
    "error.kind": optional("An errno name, or the class of the mistake"),
    "error.message": optional("What went wrong"),
    trust_level: described(z.optional(trustLevel()), "How complete the event is"),
    degraded_reason: optional("Why it is not complete"),
    correlation_id: optional("The task_id, for events of one invocation"),
  }),
  "A lifecycle or audit fact with flat dotted keys",
);

export const enforcementEventSchema = described(
  z.strictObject({
    timestamp: timestamp(),
    hook: text("Where the kernel asked: a LSM hook, or seccomp"),
    action: text("What was tried"),
    decision: described(z.enum(["allow", "deny", "error"]), "What came of it"),
    message: text("The event in words"),
    pid: described(z.nullable(z.int()), "Process that tried, as the host numbers it"),
    comm: described(z.nullable(z.string()), "Name of that process"),
    source_zone: described(z.nullable(z.string()), "Zone of that process"),
    target_zone: described(z.nullable(z.string()), "Zone of what it reached for"),
    object: described(z.nullable(z.string()), "What it reached for: a path, an address, a system call"),
    why: optional("Which rule denied it"),
    policy_key: optional("The policy key that would allow it"),
  }),
  "Something that the kernel decided about the zone",
);

export type ResultEvent = z.output<typeof eventSchema>;
export type EnforcementEvent = z.output<typeof enforcementEventSchema>;
