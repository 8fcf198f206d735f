import { mountFlag } from "../contract.ts";
import { addOp, keepView, type PlanDraft, zoneOrigin } from "../draft.ts";

/** What OCI runtimes hide in /proc: the host's hardware, keys, timers and memory. */
const maskedPaths = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
];

/** What OCI runtimes make read-only in /proc: knobs of the whole host. */
const readOnlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** A fresh /proc of the zone's pid namespace, with the masked and read-only paths of OCI runtimes. */
export function planProc(draft: PlanDraft): void {
  const proc = addOp(draft, { op: "proc", target: "/proc" }, zoneOrigin("proc"), "the zone's own processes");
  const { optional } = mountFlag;
  // Which of them exist depends on the kernel's options; one that is not there needs no hiding.
  for (const target of maskedPaths) {
    addOp(draft, { op: "mask", target, flags: optional }, zoneOrigin("masked paths"), `${target} hidden`);
  }
  for (const target of readOnlyPaths) {
    addOp(draft, { op: "read_only", target, flags: optional }, zoneOrigin("read-only paths"), `${target} read-only`);
  }
  keepView(draft, "proc_masked", "procfs", [proc]);
}
