import type { HostFacts } from "../../run/host-facts.ts";
import { systemCall } from "../ffi.ts";
import { readSmallFile } from "../small-file.ts";
import { probeCgroup } from "./cgroup.ts";
import { hasHostIds } from "./id-range.ts";

const SYS_landlock_create_ruleset = 444;
const LANDLOCK_CREATE_RULESET_VERSION = 1;

/** CAP_SETGID, CAP_SETUID, CAP_SYS_CHROOT, CAP_SYS_ADMIN: what root needs to map ids and to mount on behalf of a zone. */
const neededOfRoot = (1n << 6n) | (1n << 7n) | (1n << 18n) | (1n << 21n);

/**
 * What the hot path must know of this host: a handful of reads and one system call. What only shows by trying (user
 * namespaces that a security module refuses) is taken for granted here; the launcher's error says it if not, and
 * `rauha doctor` tries.
 */
export function probeFacts(): HostFacts {
  const status = readSmallFile("/proc/self/status") ?? "";
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const uid = process.geteuid?.() ?? 0;
  const env = process.env;
  const landlockAbi = systemCall(SYS_landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION);
  const privileged = uid === 0 && (capabilities & neededOfRoot) === neededOfRoot && hasHostIds();
  return {
    platform: "linux",
    arch: process.arch === "arm64" ? "aarch64" : "x86_64",
    kernel: (readSmallFile("/proc/sys/kernel/osrelease", 256) ?? "").trim(),
    uid,
    gid: process.getegid?.() ?? 0,
    userName: userName(env["USER"], uid),
    privileged,
    capabilities,
    userNamespaces: { ok: true },
    seccomp: /^Seccomp:/m.test(status) ? { ok: true } : { ok: false, reason: "the kernel is built without seccomp" },
    landlockAbi: Math.max(0, landlockAbi),
    cgroup: probeCgroup(),
    bpfLsm: { ok: false, reason: "not available in this build" },
    env,
    cwd: process.cwd(),
  };
}

/** The caller's name for the zone's /etc/passwd, if it is one that passwd(5) takes. */
function userName(name: string | undefined, uid: number): string {
  if (uid === 0) return "root";
  return name !== undefined && name !== "root" && /^[a-z_][a-z0-9_-]{0,31}$/.test(name) ? name : "user";
}
