import { z } from "../zod.ts";
import { enforcementEventSchema, eventSchema } from "./event-schema.ts";
import { amount, count, described, enforcementMode, text, timestamp, trustLevel } from "./schema-parts.ts";

/**
 * The public result of `rauha sandbox`, version 1, and the source of its JSON Schema. Keys are append-only.
 * What could not be measured is null, never a made-up 0. SPEC.md section 1 is the contract.
 */

export const guaranteeSchema = z.strictObject({
  name: text("What is promised"),
  state: described(z.enum(["enforced", "not_requested", "unavailable"]), "Whether the promise was kept"),
  mechanism: described(z.nullable(z.string()), "What enforces it, or why nothing does"),
});

export const errorSchema = z.strictObject({
  code: text("Stable name of the mistake or failure"),
  stage: text("Where in a zone's life it happened"),
  kind: text("An errno name, or the class of the mistake"),
  message: text("What went wrong, and what was expected"),
  hint: described(z.nullable(z.string()), "How to fix it"),
  origin: described(z.nullable(z.string()), "The flag, or the policy key with file and line"),
});

const usageSchema = z.strictObject({
  user_ms: described(z.nullable(amount()), "Processor time in user mode"),
  system_ms: described(z.nullable(amount()), "Processor time in the kernel"),
  max_rss_bytes: described(z.nullable(count()), "Largest resident set of one process"),
  memory_peak_bytes: described(z.nullable(count()), "Most memory that the zone held at one time"),
  pids_peak: described(z.nullable(count()), "Most processes and threads at one time"),
  io_read_bytes: described(z.nullable(count()), "Read from block devices"),
  io_write_bytes: described(z.nullable(count()), "Written to block devices"),
});

const enforcementSchema = z.strictObject({
  mode: described(enforcementMode(), "What the kernel did with the rules"),
  lsm: described(z.array(z.enum(["bpf-lsm", "landlock"])), "Security modules that decided for the zone"),
  seccomp: described(z.boolean(), "Whether system calls were filtered"),
  isolation: described(z.enum(["zone", "vm"]), "What the boundary is made of"),
  trust_level: described(trustLevel(), "How far this report can be relied on"),
});

const changeSchema = z.strictObject({
  path: text("Path in the workspace"),
  kind: described(
    z.enum(["added", "modified", "deleted", "type_changed", "mode_changed"]),
    "What happened to it; a deleted directory is one change, at its top",
  ),
  size: described(z.nullable(count()), "Size in bytes of a file or symlink after the task; null when deleted"),
  type: described(
    z.enum(["file", "directory", "symlink", "device", "fifo", "socket", "whiteout"]),
    "What it is after the task; before it when deleted",
  ),
  mode: described(z.nullable(z.string()), "Permissions after the task, in octal; null when deleted"),
  path_base64: described(z.optional(z.string()), "Present when the path is not UTF-8: its exact bytes"),
});

const workspaceSchema = z.strictObject({
  mode: described(z.enum(["overlay", "rw", "ro"]), "How the task saw the workspace"),
  mechanism: described(z.nullable(z.string()), "What kept its changes apart; null when nothing did"),
  state: described(
    z.nullable(z.enum(["unchanged", "kept", "applied", "discarded"])),
    "What became of the changes; null when they were not kept apart",
  ),
});

const causes = [
  "exit",
  "signal",
  "timeout",
  "oom",
  "cpu_limit",
  "file_size_limit",
  "cancelled",
  "policy",
  "setup",
] as const;

export const resultSchema = z.strictObject({
  schema: described(z.literal("rauha.sandbox.result/v1"), "Name and version of this form"),
  task_id: described(z.string().check(z.regex(/^task_[0-9a-z]+$/)), "Unique to the invocation"),
  zone_id: described(z.string().check(z.regex(/^zone_[0-9a-z]+$/)), "The zone that the task ran in"),
  command: described(z.array(z.string()), "The command and its arguments"),
  status: described(
    z.enum(["succeeded", "failed", "timed_out", "runtime_error"]),
    "runtime_error: Rauha itself could not run the task",
  ),
  cause: described(z.enum(causes), "What brought the task to its end"),
  exit_code: described(
    z.nullable(z.int().check(z.minimum(0), z.maximum(255))),
    "null when the task did not exit by itself",
  ),
  signal: described(z.nullable(z.string()), "Name of the signal that ended the task"),
  duration_ms: described(amount(), "Wall-clock time of the task"),
  started_at: timestamp(),
  finished_at: timestamp(),
  stdout: described(z.nullable(z.string()), "null when the stream was the caller's own"),
  stdout_bytes: described(z.nullable(count()), "What the task wrote, kept or not"),
  stdout_truncated: described(z.boolean(), "Whether less was kept than written"),
  stdout_base64: described(z.optional(z.string()), "Present when the stream is not UTF-8: its exact bytes"),
  stderr: described(z.nullable(z.string()), "null when the stream was the caller's own"),
  stderr_bytes: described(z.nullable(count()), "What the task wrote, kept or not"),
  stderr_truncated: described(z.boolean(), "Whether less was kept than written"),
  stderr_base64: described(z.optional(z.string()), "Present when the stream is not UTF-8: its exact bytes"),
  usage: described(usageSchema, "What the zone used; null is not measured"),
  guarantees: described(z.array(guaranteeSchema), "Every promise about the zone, and what became of it"),
  enforcement: described(enforcementSchema, "Who enforced the policy"),
  policy: described(
    z.nullable(
      z.strictObject({
        name: text("Name of the policy"),
        hash: text("sha256 of its canonical form, defaults filled in"),
      }),
    ),
    "null when no policy could be read",
  ),
  image: described(
    z.nullable(
      z.strictObject({ reference: text("As it was asked for"), digest: text("Of the manifest that was run") }),
    ),
    "null when the root is the host's",
  ),
  changes: described(z.array(changeSchema), "What the task changed in the workspace"),
  events: described(z.array(eventSchema), "Lifecycle and audit facts, in order"),
  enforcement_events: described(z.array(enforcementEventSchema), "What was denied, in order"),
  error: described(z.nullable(errorSchema), "null when Rauha did its work, whatever the task did"),
  changes_omitted: described(count(), "Changes beyond those listed"),
  workspace: described(z.nullable(workspaceSchema), "null when the task had none"),
});

/** The public result; its keys are append-only. */
export type Result = z.output<typeof resultSchema>;
export type { EnforcementEvent, ResultEvent } from "./event-schema.ts";
