import { z } from "../zod.ts";

/**
 * The public result of `rauha sandbox`, version 1, and the source of its JSON Schema. Keys are append-only.
 * What could not be measured is null, never a made-up 0. SPEC.md section 1 is the contract.
 */

const timestamp = z.iso.datetime({ offset: true }).describe("RFC 3339");
const count = z.number().int().min(0);

export const guaranteeSchema = z.strictObject({
  name: z.string(),
  state: z.enum(["enforced", "not_requested", "unavailable"]),
  mechanism: z.string().nullable().describe("What enforces it, or why nothing does"),
});

export const eventSchema = z
  .looseObject({
    "event.name": z.string().regex(/^rauha(\.[a-z_]+){2,3}$/),
    "event.version": z.literal(1),
    "event.kind": z.enum([
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
    ]),
    "event.outcome": z.enum([
      "started",
      "succeeded",
      "failed",
      "denied",
      "allowed",
      "skipped",
      "degraded",
      "timed_out",
      "cancelled",
    ]),
    timestamp,
    level: z.enum(["debug", "info", "warn", "error"]),
    task_id: z.string().optional(),
    zone_id: z.string().optional(),
    zone_name: z.string().optional(),
    container_id: z.string().optional(),
    command_hash: z.string().optional(),
    image_ref: z.string().optional(),
    policy_name: z.string().optional(),
    policy_hash: z.string().optional(),
    "backend.name": z.string().optional(),
    "backend.platform": z.string().optional(),
    "backend.enforcement_mode": z.enum(["enforcing", "audit_only", "noop", "unavailable"]).optional(),
    duration_ms: z.number().min(0).optional(),
    "error.code": z.string().optional(),
    "error.kind": z.string().optional(),
    "error.message": z.string().optional(),
    trust_level: z.enum(["complete", "partial", "best_effort", "unavailable"]).optional(),
    degraded_reason: z.string().optional(),
    correlation_id: z.string().optional(),
  })
  .describe("A lifecycle or audit fact with flat dotted keys");

export const enforcementEventSchema = z.strictObject({
  timestamp,
  hook: z.string(),
  action: z.string(),
  decision: z.enum(["allow", "deny", "error"]),
  message: z.string(),
  pid: z.number().int().nullable(),
  comm: z.string().nullable(),
  source_zone: z.string().nullable(),
  target_zone: z.string().nullable(),
  object: z.string().nullable(),
  why: z.string().optional().describe("Which rule denied it"),
  policy_key: z.string().optional().describe("The policy key that would allow it"),
});

export const errorSchema = z.strictObject({
  code: z.string(),
  stage: z.string(),
  kind: z.string().describe("An errno name, or the class of the mistake"),
  message: z.string(),
  hint: z.string().nullable(),
  origin: z.string().nullable().describe("The flag, or the policy key with file and line"),
});

export const resultSchema = z.strictObject({
  schema: z.literal("rauha.sandbox.result/v1"),
  task_id: z.string().regex(/^task_[0-9a-z]+$/),
  zone_id: z.string().regex(/^zone_[0-9a-z]+$/),
  command: z.array(z.string()),
  status: z.enum(["succeeded", "failed", "timed_out", "runtime_error"]),
  cause: z.enum([
    "exit",
    "signal",
    "timeout",
    "oom",
    "cpu_limit",
    "file_size_limit",
    "cancelled",
    "policy",
    "setup",
  ]),
  exit_code: z.number().int().min(0).max(255).nullable(),
  signal: z.string().nullable(),
  duration_ms: z.number().min(0),
  started_at: timestamp,
  finished_at: timestamp,
  stdout: z.string().nullable().describe("null when the stream was the caller's own"),
  stdout_bytes: count.nullable(),
  stdout_truncated: z.boolean(),
  stdout_base64: z.string().optional().describe("Present when the stream is not UTF-8: its exact bytes"),
  stderr: z.string().nullable(),
  stderr_bytes: count.nullable(),
  stderr_truncated: z.boolean(),
  stderr_base64: z.string().optional(),
  usage: z.strictObject({
    user_ms: z.number().min(0).nullable(),
    system_ms: z.number().min(0).nullable(),
    max_rss_bytes: count.nullable(),
    memory_peak_bytes: count.nullable(),
    pids_peak: count.nullable(),
    io_read_bytes: count.nullable(),
    io_write_bytes: count.nullable(),
  }),
  guarantees: z.array(guaranteeSchema),
  enforcement: z.strictObject({
    mode: z.enum(["enforcing", "audit_only", "noop", "unavailable"]),
    lsm: z.array(z.enum(["bpf-lsm", "landlock"])),
    seccomp: z.boolean(),
    isolation: z.enum(["zone", "vm"]),
    trust_level: z.enum(["complete", "partial", "best_effort", "unavailable"]),
  }),
  policy: z.strictObject({ name: z.string(), hash: z.string() }).nullable(),
  image: z.strictObject({ reference: z.string(), digest: z.string() }).nullable(),
  changes: z.array(
    z.strictObject({ path: z.string(), kind: z.string(), size: count.nullable() }),
  ),
  events: z.array(eventSchema),
  enforcement_events: z.array(enforcementEventSchema),
  error: errorSchema.nullable(),
});

export type Result = z.infer<typeof resultSchema>;
export type ResultEvent = z.infer<typeof eventSchema>;
export type EnforcementEvent = z.infer<typeof enforcementEventSchema>;
