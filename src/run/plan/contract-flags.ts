/** Numbers in the fields of the contract's records; contract.ts says which record has which. */

/** Bits of a mount op's `flags`. */
export const mountFlag = {
  /** The mount and everything below it can't be written. */
  readOnly: 1 << 0,
  noExec: 1 << 1,
  /** Device nodes work through this mount (the entries of a minimal /dev). Without it: nodev. */
  dev: 1 << 2,
  /** Source must be a directory / must not be one. Neither bit: either will do. */
  expectDir: 1 << 3,
  expectFile: 1 << 4,
  /** A source that is not there is passed over and reported as `skipped`. Without it: an error. */
  optional: 1 << 5,
  /**
   * Ids of the source's files are translated by the zone's user namespace (idmapped mount), so that files of
   * the host's root belong to root inside. A file system that can't is an error unless `idmapOptional`.
   */
  idmap: 1 << 6,
  idmapOptional: 1 << 7,
  /** Follow a symlink in the source's last component (flags of the user name what they point to). */
  followSource: 1 << 8,
  /** Source must be a unix socket. */
  expectSocket: 1 << 9,
} as const;

/** `io.mode`. */
export const ioMode = { capture: 0, stream: 1, pty: 2 } as const;
/** `io.stdin`. */
export const ioStdin = { none: 0, caller: 1 } as const;
/** `identity.flags`. */
export const identityFlag = { setgroups: 1 << 0 } as const;
/**
 * `cgroup.kind`: enter by CLONE_INTO_CGROUP, or by a write of "0" to `tasks` (cgroup v1). `v2Given`: like v2, but the directory may be
 * there, empty: Rauha made it, to enter it in the BPF maps before anyone lives in it.
 */
export const cgroupKind = { v2: 0, v1: 1, v2Given: 2 } as const;
/** `seccomp.flags`: calls that the filter hands to a listener are reported as `denied`. */
export const seccompFlag = { listen: 1 << 0 } as const;
/** Words of a `watch` entry; `none`: the call has no such argument. */
export const watch = { path: 0, address: 1, none: 255 } as const;
/** Bits of `verify.checks`: forbidden acts that the launcher tries once after locking down; one that works is an error. */
export const verifyCheck = {
  newUserNamespace: 1 << 0,
  mount: 1 << 1,
  writeProcSys: 1 << 2,
  ptraceInit: 1 << 3,
  regainCapabilities: 1 << 4,
  /** Reading /.rauha, which the mounts show and no Landlock rule allows. */
  landlock: 1 << 5,
} as const;
