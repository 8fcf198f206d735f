/**
 * Which layer denied: each has the errno that only it gives, and a promise in the result that says it was there. A test that asserts both,
 * beside a neighbour that is allowed, can't pass for the wrong reason.
 */
import { expect } from "bun:test";
import { guarantee, type Tried } from "./rauha.ts";

/** A layer, its errno, and the promise it rests on. */
const layers = {
  /** The path is in no view of the zone. */
  view: { errno: ["ENOENT"], promise: "filesystem_view" },
  /** The mount is read-only. */
  readOnly: { errno: ["EROFS"], promise: "filesystem_view" },
  /** The mount hides what it covers: an empty directory or /dev/null. */
  mask: { errno: ["ENOENT", "EACCES", "EROFS", "EPERM"], promise: "proc_masked" },
  /** The caller lacks the capability. */
  capabilities: { errno: ["EPERM"], promise: "capabilities" },
  /** The system call filter refuses the call before anyone looks at it. */
  syscalls: { errno: ["EPERM", "ENOSYS"], promise: "syscall_filter" },
  /** Mode bits and owner: the id inside is nobody outside. */
  owner: { errno: ["EACCES"], promise: "user_namespace" },
  /** The kernel has no such process in this pid namespace. */
  pids: { errno: ["ESRCH"], promise: "pid_namespace" },
  /** There is no way out of the network namespace. */
  network: { errno: ["ENETUNREACH", "ECONNREFUSED"], promise: "network_namespace" },
  /** The BPF programs know of no such address in the policy: they decide before the network does. */
  programs: { errno: ["EPERM"], promise: "lsm_zone_boundary" },
  /** The mount is nodev. */
  devices: { errno: ["EACCES", "EPERM"], promise: "devices" },
  noNewPrivs: { errno: ["EPERM"], promise: "no_new_privs" },
  /** A mount point can't be renamed or removed. */
  mountPoint: { errno: ["EBUSY"], promise: "filesystem_view" },
} as const;

export type Layer = keyof typeof layers;

/** Asserts that this attempt, and every attempt that begins with it, met this layer. */
export function expectDenied(tried: Tried, attempt: string, layer: Layer, errno?: string): void {
  const { errno: errnos, promise } = layers[layer];
  const matching = tried.answers.filter((answer) => answer.attempt === attempt);
  expect(matching, `${attempt} was tried`).not.toBeEmpty();
  for (const { outcome } of matching) {
    if (errno !== undefined) expect(`${attempt}: ${outcome}`).toBe(`${attempt}: ${errno}`);
    else expect(errnos as readonly string[], `${attempt}: ${outcome}`).toContain(outcome);
  }
  expect(guarantee(tried.result, promise).state, promise).toBe("enforced");
}

/** Asserts that this attempt worked. */
export function expectAllowed(tried: Tried, ...attempts: readonly string[]): void {
  for (const attempt of attempts) {
    const found = tried.answers.find((answer) => answer.attempt === attempt);
    expect(`${attempt}: ${found?.outcome ?? "was not tried"}`).toBe(`${attempt}: OK`);
  }
}
