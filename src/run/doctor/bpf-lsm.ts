import type { LsmReadiness } from "../lsm.ts";
import { bootParameterFix, type Finding, type HostInputs } from "./finding.ts";

/** A thing that BPF-LSM needs and this host lacks. */
export interface LsmGap {
  readonly what: string;
  /** The exact command that mends it, or null. */
  readonly fix: string | null;
}

/** All that stands between this host and BPF-LSM, in the order in which to mend it. */
export function lsmGaps(inputs: Pick<HostInputs, "facts">, ready: LsmReadiness): LsmGap[] {
  const gaps: LsmGap[] = [];
  const sudo = ready.root ? "" : "sudo ";
  if (!ready.btf) {
    const what = "the kernel does not describe its types (no /sys/kernel/btf/vmlinux)";
    gaps.push({ what: `${what}: it needs CONFIG_DEBUG_INFO_BTF=y`, fix: null });
  }
  if (ready.compiled === false)
    gaps.push({ what: "the kernel is built without CONFIG_BPF_LSM=y; a kernel that has it must be booted", fix: null });
  if (ready.compiled !== false && ready.modules !== null && !ready.modules.includes("bpf")) {
    const others = ready.modules.filter((name) => name !== "capability");
    gaps.push({
      what: `bpf is not among the active security modules (${ready.modules.join(", ")}): it is a boot parameter`,
      fix: bootParameterFix(inputs, `lsm=${[...others, "bpf"].join(",")}`),
    });
  }
  if (!ready.bpffs)
    gaps.push({ what: "no bpffs is mounted at /sys/fs/bpf", fix: `${sudo}mount -t bpf -o mode=700 bpf /sys/fs/bpf` });
  if (ready.trial?.ok === false && gaps.every(({ fix, what }) => fix !== null && what.includes("bpffs"))) {
    const { failed, errno } = ready.trial;
    const where = errno === "EPERM" ? ", though it runs as root: this kernel, or what is around it, forbids it" : "";
    gaps.push({ what: `a BPF-LSM program can't be attached: ${failed}: ${errno}${where}`, fix: null });
  }
  if (!ready.root) gaps.push({ what: "only root can load and use BPF programs", fix: null });
  return gaps;
}

/** What BPF-LSM is to this host, for `rauha doctor`. */
export function checkBpfLsm(inputs: HostInputs): Finding {
  const { facts, lsm } = inputs;
  const finding = { check: "bpf_lsm", needed: false } as const;
  if (facts.bpfLsm.ok)
    return { ...finding, state: "enforced", summary: "BPF programs guard zone boundaries", fix: null };
  const gaps = lsm == null ? [] : lsmGaps(inputs, lsm);
  const [first] = gaps;
  const why = first === undefined ? facts.bpfLsm.reason : gaps.map(({ what }) => what).join("; ");
  const fix = gaps.find((gap) => gap.fix !== null)?.fix ?? (first === undefined ? "rauha setup" : null);
  const state = "unavailable";
  return { ...finding, state, summary: `no BPF programs guard zone boundaries: ${why}`, fix };
}
