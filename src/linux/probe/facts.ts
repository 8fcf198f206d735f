import { pinDirectory } from "../../bpf/pin-directory.ts";
import type { Fact, HostFacts } from "../../run/host-facts.ts";
import { addressOf, errno, flag, systemCall } from "../ffi.ts";
import { readSmallFile } from "../small-file.ts";
import { mayAccess } from "../start/consulting.ts";
import { call } from "../system-calls.ts";
import { probeCgroup } from "./cgroup.ts";
import { hasHostIds } from "./id-range.ts";

const LANDLOCK_CREATE_RULESET_VERSION = 1;
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const PR_GET_SECCOMP = 21;

/** CAP_SETGID, CAP_SETUID, CAP_SYS_CHROOT, CAP_SYS_ADMIN: what root needs to map ids and to mount on behalf of a zone. */
const neededOfRoot = (1n << 6n) | (1n << 7n) | (1n << 18n) | (1n << 21n);

/**
 * What the hot path must know of this host, by system calls where there is one: the kernel needs longer to write /proc/self/status
 * than everything else here takes. What only shows by trying (user
 * namespaces that a security module refuses) is taken for granted here; the launcher's error says it if not, and
 * `rauha doctor` tries.
 */
export function probeFacts(): HostFacts {
  const capabilities = effectiveCapabilities();
  const uid = process.geteuid?.() ?? 0;
  const env = process.env;
  const landlockAbi = systemCall(call.landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION);
  const privileged = uid === 0 && (capabilities & neededOfRoot) === neededOfRoot && hasHostIds();
  return {
    platform: "linux",
    arch: process.arch === "arm64" ? "aarch64" : "x86_64",
    // Read when it is asked for: only a filter that is not compiled yet depends on it.
    get kernel() {
      return (readSmallFile("/proc/sys/kernel/osrelease", 256) ?? "").trim();
    },
    uid,
    gid: process.getegid?.() ?? 0,
    userName: userName(env["USER"], uid),
    privileged,
    capabilities,
    userNamespaces: { ok: true },
    seccomp: hasSeccomp() ? { ok: true } : { ok: false, reason: "the kernel is built without seccomp" },
    landlockAbi: Math.max(0, landlockAbi),
    cgroup: probeCgroup(),
    bpfLsm: probeBpfLsm(),
    env,
    cwd: process.cwd(),
  };
}

/** Programs that are pinned are there to be used: what then can't be used is an error. Nobody but root gets to them (docs/adr/0042). */
function probeBpfLsm(): Fact {
  if (mayAccess(pinDirectory, flag.X_OK)) return { ok: true };
  return {
    ok: false,
    reason: "no BPF programs of Rauha's are pinned for this user; root loads them with `rauha setup`",
  };
}

/** capget(2) of this process: a mask over capability numbers, 0 where the kernel does not say. */
function effectiveCapabilities(): bigint {
  const header = Uint32Array.of(LINUX_CAPABILITY_VERSION_3, 0);
  // Effective, permitted and inheritable of capabilities 0 to 31, then of 32 to 63.
  const sets = new Uint32Array(6);
  if (systemCall(call.capget, addressOf(header), addressOf(sets)) < 0) return 0n;
  return (BigInt(sets[3] ?? 0) << 32n) | BigInt(sets[0] ?? 0);
}

/** prctl(2) knows the question only where the kernel has seccomp. */
function hasSeccomp(): boolean {
  return systemCall(call.prctl, PR_GET_SECCOMP) !== -errno.EINVAL;
}

/** Whether passwd(5) takes it. Without a regular expression: compiling one takes longer than all this. */
export function isUserName(name: string): boolean {
  if (name === "" || name.length > 32) return false;
  for (let i = 0; i < name.length; i++) {
    const letter = name.charAt(i);
    if ((letter >= "a" && letter <= "z") || letter === "_") continue;
    const follows = (letter >= "0" && letter <= "9") || letter === "-";
    if (i === 0 || !follows) return false;
  }
  return true;
}

/** The caller's name for the zone's /etc/passwd, if it is one that passwd(5) takes. */
function userName(name: string | undefined, uid: number): string {
  if (uid === 0) return "root";
  return name !== undefined && name !== "root" && isUserName(name) ? name : "user";
}
