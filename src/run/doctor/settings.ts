/** Settings of the kernel that explain why something can't be enforced: files by path, trimmed; null where there is none. */
export type HostSettings = Readonly<Record<SettingPath, string | null>>;

/** What the command line reads for `rauha doctor`. */
export const settingPaths = [
  "/proc/sys/kernel/unprivileged_userns_clone",
  "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
  "/proc/sys/user/max_user_namespaces",
  "/proc/sys/vm/memfd_noexec",
  "/proc/self/status",
  "/proc/1/comm",
  "/sys/kernel/security/lsm",
  "/sys/fs/cgroup/cgroup.controllers",
] as const;

export type SettingPath = (typeof settingPaths)[number];

/** The active Linux security modules, in their order; null where securityfs is not mounted. */
export function activeModules(settings: HostSettings): readonly string[] | null {
  const text = settings["/sys/kernel/security/lsm"];
  return text === null ? null : text.split(",").filter((name) => name !== "");
}
