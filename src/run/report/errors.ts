import { type Diagnostic, renderOrigin } from "../diagnostic.ts";
import { contractLimits, type PlanOp, stages } from "../plan/contract.ts";
import type { Result } from "../result/schema.ts";
import { errnoName, errnoWords } from "./errno.ts";
import type { Report } from "./report.ts";
import { isExecFailure } from "./verdict.ts";

type ResultError = NonNullable<Result["error"]>;

/** What went wrong while a zone was set up or torn down, pointing home to the flag or policy key; null when nothing did. */
export function errorOf(report: Report): ResultError | null {
  if (report.failed !== null) return setupError(report, report.failed);
  if (report.lost !== null && report.ended === null) {
    return {
      code: report.cancelSignal > 0 ? "cancelled" : "internal",
      stage: "run",
      kind: "launcher_lost",
      message: `the zone ended without a report: ${report.lost.detail}`,
      hint: null,
      origin: null,
    };
  }
  const { cleaned } = report;
  if (cleaned !== null && cleaned.errno !== 0) {
    const message = `something could not be undone: ${cleaned.detail}: ${errnoName(cleaned.errno)}`;
    return { code: "internal", stage: "cleanup", kind: errnoName(cleaned.errno), message, hint: null, origin: null };
  }
  return null;
}

/** The first of several diagnostics as a result's error; the others are counted in its message. */
export function errorOfDiagnostics(diagnostics: readonly Diagnostic[], stage: string): ResultError {
  const [first, ...others] = diagnostics;
  const more =
    others.length === 0 ? "" : ` (and ${others.length} more: ${others.map((other) => other.message).join("; ")})`;
  return {
    code: first?.code ?? "internal",
    stage,
    kind: first?.code ?? "internal",
    message: `${first?.message ?? "unknown"}${more}`,
    hint: first?.hint ?? null,
    origin: first?.origin === undefined ? null : renderOrigin(first.origin),
  };
}

function setupError(report: Report, failed: NonNullable<Report["failed"]>): ResultError {
  const planned = report.plan.ops[failed.op];
  const kind = failed.errno === 0 ? failed.step : errnoName(failed.errno);
  const stage = stages[failed.stage] ?? "run";
  const command = report.plan.command[0] ?? "";
  const origin = planned === undefined ? null : renderOrigin(planned.origin);
  if (isExecFailure(report)) {
    const missing = failed.errno === 2 || failed.errno === 20;
    return {
      code: missing ? "command_not_found" : "not_executable",
      stage,
      kind,
      message: missing
        ? `${command}: not found in the zone`
        : `${command}: can't be executed: ${errnoWords(failed.errno)}`,
      hint: missing
        ? "a program must lie in what the zone sees (`rauha sandbox --explain` lists it) and in its PATH: show others with --ro-bind, or set PATH with -e"
        : "it needs the execute bit, and a #! line or a format this machine runs",
      origin,
    };
  }
  // Errno 0: no call failed, the launcher itself found something wrong and says what.
  const why = failed.errno === 0 ? failed.detail : errnoWords(failed.errno);
  const where = [planned?.intent, failed.errno === 0 || planned?.intent.includes(failed.detail) ? "" : failed.detail];
  const what = where.filter((part) => part !== undefined && part !== "").join(": ");
  return {
    code: failed.errno === 2 ? "not_found" : failed.errno === 1 || failed.errno === 13 ? "permission" : "setup_failed",
    stage,
    kind,
    message: `${what === "" ? "setting up the zone" : what}: ${failed.step}: ${why}`,
    hint: hintFor(planned?.op, failed),
    origin,
  };
}

/** The cure, where the failed op and the errno tell one. */
function hintFor(op: PlanOp | undefined, failed: NonNullable<Report["failed"]>): string | null {
  const kind = errnoName(failed.errno);
  if (stages[failed.stage] === "decode") {
    const { ops, pathBytes, planBytes } = contractLimits;
    return `a zone takes ${ops} steps (mounts, rules, limits), ${pathBytes} bytes of path and ${planBytes >> 20} MiB in all`;
  }
  if (failed.step.startsWith("clone3") && kind === "ENOSYS") {
    return "a system call filter around rauha (another zone, a container's default profile) keeps it from making namespaces: run it outside of that, or under a filter that allows clone3 and mount";
  }
  if (kind === "EAGAIN" && (failed.step.startsWith("clone3") || failed.step === "fork")) {
    return "your limit of processes is reached: `ulimit -u` shows it";
  }
  if (kind === "EMFILE") return "your limit of open files is too low: `ulimit -n` shows it";
  if (failed.step.startsWith("clone3") && (kind === "EPERM" || kind === "EUSERS" || kind === "ENOSPC")) {
    return "user namespaces are switched off or used up here; `rauha doctor` says which setting to change";
  }
  if (op?.op === "id_helpers") {
    return "it must be set-user-ID root or have file capabilities, find the caller's account, and Rauha must not run with no_new_privs";
  }
  if (op?.op === "proc" && kind === "EPERM") {
    return "the host's own /proc is partly covered (a container?): run the outer container with an unmasked /proc";
  }
  if (failed.step === "make target in a tree of the host") {
    return "nothing can be made in what the host shows: the path must be there, or lie elsewhere";
  }
  if (op?.op === "bind" && kind === "ENOENT") return "the path must exist on the host";
  if (op?.op === "bind" && kind === "EACCES") return "the caller may not reach the path";
  if (op?.op === "bind" && failed.step.includes("MOUNT_ATTR_IDMAP")) {
    return "the file system can't translate ids: bind it read-only, or run as the ordinary user who owns it";
  }
  if (failed.step === "move_mount" && (kind === "EINVAL" || kind === "ENOTDIR")) {
    return "a directory can't be mounted on a file, nor a file on a directory: choose another place";
  }
  if ((op?.op === "mask" || op?.op === "expect") && kind === "ENOENT") {
    return "a denied path must exist: correct the path, or remove the key";
  }
  if (op?.op === "netlink" || op?.op === "listen") {
    return "the kernel needs nf_tables with NAT, redirect, reject and log, and connection tracking: `modprobe nft_redir nft_log nfnetlink_log`";
  }
  if (op?.op === "network_gate" && (kind === "ENOENT" || kind === "EOPNOTSUPP" || kind === "EPROTONOSUPPORT")) {
    return "the kernel needs bridge, veth and nftables with conntrack, NAT, reject and fib for IPv4, built in or as modules";
  }
  if (op?.op === "workdir")
    return "the start directory must exist in the zone: bind it, or choose another with --workdir";
  if (op?.op === "cgroup" || op?.op === "cgroup_set") return "`rauha doctor` says what this host's cgroups allow";
  return null;
}
