import { bootParameterFix, type Finding, type HostInputs } from "./finding.ts";
import { activeModules } from "./settings.ts";

/** What decides inside the kernel, call by call. */

/** Whether the kernel takes filters of system calls, seccomp(2). */
export function checkSeccomp({ facts }: HostInputs): Finding {
  const { seccomp } = facts;
  return {
    check: "seccomp",
    state: seccomp.ok ? "enforced" : "unavailable",
    needed: true,
    summary: seccomp.ok ? "system calls are filtered" : `system calls can't be filtered: ${seccomp.reason}`,
    fix: seccomp.ok ? null : (seccomp.fix ?? null),
  };
}

/** Whether Landlock is there, landlock(7), and what its ABI lacks. */
export function checkLandlock(inputs: HostInputs): Finding {
  const { facts, settings } = inputs;
  const modules = activeModules(settings);
  if (facts.landlockAbi > 0) {
    return {
      check: "landlock",
      state: "enforced",
      needed: false,
      summary: `Landlock ABI ${facts.landlockAbi} guards files a second time`,
      fix: null,
    };
  }
  const inactive = modules !== null && !modules.includes("landlock");
  return {
    check: "landlock",
    state: "unavailable",
    needed: false,
    summary: inactive
      ? `Landlock is not among the active security modules (${modules.join(", ")}); mount namespaces alone guard files`
      : "the kernel has no Landlock, or a container around Rauha hides it; mount namespaces alone guard files",
    fix: inactive ? lsmFix(inputs, "landlock", modules) : null,
  };
}

/** `lsm=` replaces the whole list, so the active modules are said again; `capability` is always there. */
function lsmFix(inputs: HostInputs, name: string, modules: readonly string[]): string {
  const others = modules.filter((module) => module !== "capability");
  return bootParameterFix(inputs, `lsm=${(name === "landlock" ? [name, ...others] : [...others, name]).join(",")}`);
}
