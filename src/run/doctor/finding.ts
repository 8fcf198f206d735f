import type { HostFacts } from "../host-facts.ts";
import type { SubordinateIds } from "../ids/readiness.ts";
import type { LsmReadiness } from "../lsm.ts";
import type { HostSettings } from "./settings.ts";

/** Names of what `rauha doctor` looks at; append-only. */
export type CheckName =
  | "kernel"
  | "user_namespaces"
  | "seccomp"
  | "landlock"
  | "bpf_lsm"
  | "memory_limit"
  | "pids_limit"
  | "cpu_limits"
  | "io_weight"
  | "launcher_memfd"
  | "subordinate_ids"
  | "zone_records"
  | "trial";

/**
 * One thing that a zone rests on. `enforced`: by the mechanism that is meant for it; `fallback`: by a weaker one, which results name
 * too; `unavailable`: not at all.
 */
export interface Finding {
  readonly check: CheckName;
  readonly state: "enforced" | "fallback" | "unavailable";
  /** Whether a zone with the policy `task` needs it. */
  readonly needed: boolean;
  /** What is the case, and what that means for zones. */
  readonly summary: string;
  /** The exact command that improves it; null when there is none, or nothing to improve. */
  readonly fix: string | null;
}

/** What the host says of itself, and what it did when it was tried. */
export interface HostInputs {
  readonly facts: HostFacts;
  readonly settings: HostSettings;
  readonly trial: Trial;
  /** What BPF-LSM needs, as far as this host has it; left out where nobody asked. */
  readonly lsm?: LsmReadiness | null;
  /** An ordinary user's subordinate ids; left out where nobody asked. */
  readonly ids?: SubordinateIds | undefined;
  /** Where records of living zones are, and how many, or why there are none; left out where nobody asked. */
  readonly records?: ZoneRecords;
}

export type ZoneRecords = { readonly place: string; readonly living: number } | { readonly problem: string };

/** How `true` fared in a zone with the policy `task`: some refusals only show by trying. */
export type Trial =
  | { readonly ok: true; readonly enforced: number }
  | { readonly ok: false; readonly message: string; readonly hint: string | null };

/** Sets a sysctl now and at every start. */
export function sysctlFix({ facts }: HostInputs, name: string, value: number): string {
  const line = `'${name} = ${value}'`;
  const file = "/etc/sysctl.d/90-rauha.conf";
  if (facts.uid === 0) return `echo ${line} >> ${file} && sysctl --system`;
  return `echo ${line} | sudo tee -a ${file} && sudo sysctl --system`;
}

/** Adds a parameter to the kernel's command line, where GRUB starts it. */
export function bootParameterFix({ facts }: Pick<HostInputs, "facts">, parameter: string): string {
  const sudo = facts.uid === 0 ? "" : "sudo ";
  return `${sudo}sed -i 's/^GRUB_CMDLINE_LINUX="/&${parameter} /' /etc/default/grub && ${sudo}update-grub && ${sudo}reboot`;
}
