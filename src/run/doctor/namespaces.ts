import { type Finding, type HostInputs, sysctlFix } from "./finding.ts";

/** The oldest kernel with all that a zone is made of: mount_setattr(2) came with 5.12, RLIMIT_NPROC by user namespace with 5.14. */
const oldest = [5, 14] as const;

/** Whether the kernel is new enough for any zone. */
export function checkKernel({ facts }: HostInputs): Finding {
  const [major, minor] = facts.kernel.split(/[.-]/).map(Number);
  const enough = (major ?? 0) > oldest[0] || (major === oldest[0] && (minor ?? 0) >= oldest[1]);
  const words = enough ? "is new enough" : `is too old; zones need Linux ${oldest.join(".")} or newer`;
  return {
    check: "kernel",
    state: enough ? "enforced" : "unavailable",
    needed: true,
    summary: `Linux ${facts.kernel} ${words}`,
    fix: null,
  };
}

/**
 * User namespaces: what lets an ordinary user build a zone, and keeps root inside from being root outside. A trial that worked
 * outweighs the settings: AppArmor may have a profile for this very program.
 */
export function checkUserNamespaces(inputs: HostInputs): Finding {
  const { facts, trial } = inputs;
  const common = { check: "user_namespaces", needed: true } as const;
  const reason = trial.ok ? undefined : whyNoUserNamespaces(inputs);
  if (reason !== undefined) return { ...common, state: "unavailable", ...reason };
  const whose = facts.privileged ? "root inside is not root outside" : "no privilege is needed";
  const summary = `every zone gets a user namespace of its own: ${whose}`;
  return { ...common, state: "enforced", summary, fix: null };
}

function whyNoUserNamespaces(inputs: HostInputs): Pick<Finding, "summary" | "fix"> | undefined {
  const { facts, settings } = inputs;
  if (settings["/proc/sys/user/max_user_namespaces"] === "0") {
    const summary = "user.max_user_namespaces is 0: nobody may make a user namespace";
    return { summary, fix: sysctlFix(inputs, "user.max_user_namespaces", 15_000) };
  }
  if (!facts.privileged && settings["/proc/sys/kernel/unprivileged_userns_clone"] === "0") {
    const summary = "kernel.unprivileged_userns_clone is 0: an ordinary user may make no user namespace";
    return { summary, fix: sysctlFix(inputs, "kernel.unprivileged_userns_clone", 1) };
  }
  const apparmor = "kernel.apparmor_restrict_unprivileged_userns";
  if (!facts.privileged && settings["/proc/sys/kernel/apparmor_restrict_unprivileged_userns"] === "1") {
    const summary = `${apparmor} is 1: AppArmor takes all capabilities from an ordinary user's namespaces`;
    return { summary, fix: sysctlFix(inputs, apparmor, 0) };
  }
  const { userNamespaces } = facts;
  return userNamespaces.ok ? undefined : { summary: userNamespaces.reason, fix: userNamespaces.fix ?? null };
}

/** Where the launcher's code lies: in sealed memory, unless the host forbids to execute that. */
export function checkLauncherMemory(inputs: HostInputs): Finding {
  const forbidden = inputs.settings["/proc/sys/vm/memfd_noexec"] === "2";
  return {
    check: "launcher_memfd",
    state: forbidden ? "fallback" : "enforced",
    needed: false,
    summary: forbidden
      ? "vm.memfd_noexec is 2: the launcher is run from an unlinked file, which is slower"
      : "the launcher is run from sealed memory; no file is extracted",
    fix: forbidden ? sysctlFix(inputs, "vm.memfd_noexec", 1) : null,
  };
}
