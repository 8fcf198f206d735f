import type { Policy } from "../policy/policy.ts";

/**
 * Calls by which CAP_SYS_ADMIN undoes a view: write access for a read-only bind, a copy of a tree without its masks. A zone makes its
 * mounts in its own user namespace, where the kernel locks none of them; and of all mount calls Landlock stops all but these.
 */
const viewCalls: readonly string[] = ["mount_setattr", "open_tree", "open_tree_attr"];

/** Those that a zone's filter denies though its profile would allow them, unless the policy names them. Privileged zones are no boundary. */
export function deniedForView({ capabilities, syscalls, zone }: Policy): readonly string[] {
  if (zone.type === "privileged" || !capabilities.allowed.includes("CAP_SYS_ADMIN")) return [];
  return viewCalls.filter((name) => !syscalls.allow.includes(name) && !syscalls.deny.includes(name));
}

/** Those that the task may make: the policy names them and grants what they need, or is privileged. With one of them, masks and read-only binds can be undone. */
export function allowedOnView({ capabilities, syscalls, zone }: Policy): readonly string[] {
  if (!capabilities.allowed.includes("CAP_SYS_ADMIN")) return [];
  const named = (name: string) => zone.type === "privileged" || syscalls.allow.includes(name);
  return viewCalls.filter((name) => named(name) && !syscalls.deny.includes(name));
}
