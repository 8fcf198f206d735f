import type { Finding, HostInputs } from "./finding.ts";

type Controller = "memory" | "pids" | "cpu" | "io";

/** What limits a zone as a whole. Without a cgroup, memory and processes have a fallback; CPU and IO have none. */
export function checkCgroups(inputs: HostInputs): Finding[] {
  return [
    finding(
      inputs,
      "memory",
      "memory_limit",
      "RLIMIT_DATA for each process, and a watcher that sums what the zone holds",
    ),
    finding(inputs, "pids", "pids_limit", "RLIMIT_NPROC, counted inside the zone's own user namespace"),
    finding(inputs, "cpu", "cpu_limits", null),
    finding(inputs, "io", "io_weight", null),
  ];
}

function finding(
  inputs: HostInputs,
  controller: Controller,
  check: Finding["check"],
  fallback: string | null,
): Finding {
  const { cgroup } = inputs.facts;
  const needed = fallback !== null;
  const [v2, v1] = [cgroup.v2, controller === "io" ? undefined : cgroup.v1[controller]];
  if (v2?.controllers.includes(controller)) {
    return {
      check,
      state: "enforced",
      needed,
      summary: `cgroup v2 controller ${controller} below ${v2.path}`,
      fix: null,
    };
  }
  if (v1 !== undefined) {
    return { check, state: "enforced", needed, summary: `cgroup v1 controller ${controller} below ${v1}`, fix: null };
  }
  const instead = fallback === null ? "a policy that asks for it is refused" : `instead ${fallback}`;
  return {
    check,
    state: fallback === null ? "unavailable" : "fallback",
    needed,
    summary: `no ${controller} controller can be used here (${cgroup.reason}); ${instead}`,
    fix: cgroupFix(inputs, controller),
  };
}

/** How to come by a controller: from the kernel's root group for root, from systemd for anyone else. */
function cgroupFix({ facts, settings }: HostInputs, controller: Controller): string | null {
  const offered = settings["/sys/fs/cgroup/cgroup.controllers"]?.split(" ") ?? [];
  if (!offered.includes(controller)) return null;
  if (facts.uid === 0) return `echo +${controller} > /sys/fs/cgroup/cgroup.subtree_control`;
  if (settings["/proc/1/comm"] !== "systemd") return null;
  // A user's systemd gets memory and pids by default, the others only when the administrator says so.
  const delegated = facts.cgroup.v2?.controllers ?? [];
  if (delegated.length === 0 && (controller === "memory" || controller === "pids")) {
    return "systemd-run --user --scope --quiet rauha sandbox -- true";
  }
  return (
    "sudo mkdir -p /etc/systemd/system/user@.service.d && " +
    "printf '[Service]\\nDelegate=cpu io memory pids\\n' | sudo tee /etc/systemd/system/user@.service.d/rauha.conf && " +
    "sudo systemctl daemon-reload && sudo systemctl restart user@$(id -u).service"
  );
}
