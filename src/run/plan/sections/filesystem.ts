import { coveredBy, isBelow } from "../../absolute-path.ts";
import type { Origin } from "../../diagnostic.ts";
/**
 * The zone's filesystem, in the order of mounting: the bounded root tmpfs; the view the policy gives; /proc and /dev; what the flags
 * add, in the order of the command line; the workspace; and last what must be hidden or read-only whatever came before.
 */
import { policyOrigin } from "../../policy/policy.ts";
import { mountFlag } from "../contract.ts";
import { addOp, keep, keepView, type PlanDraft, refuse, zoneOrigin } from "../draft.ts";
import { planCopyOnWrite } from "./copy-on-write.ts";
import { planDevices } from "./devices.ts";
import { planHostView, planIdentityFiles } from "./host-view.ts";
import { idmapFlags } from "./identity.ts";
import { landlockProbe } from "./landlock.ts";
import { planProc } from "./proc.ts";

/** Scratch directories that every zone has: writable, within the quota of `filesystem.tmp_size`. */
const standardScratch = ["/tmp", "/var/tmp", "/run"];

/** The tmpfs that the zone's root is, or lies on. */
export function planStore(draft: PlanDraft): void {
  const { policy } = draft;
  const { tmpSizeBytes: size, tmpInodes: inodes } = policy.filesystem;
  const quota = policyOrigin(policy, "filesystem.tmp_size");
  const rootOp = addOp(draft, { op: "root", size, inodes }, quota, "the zone's root, a tmpfs of its own");
  keep(draft, "tmpfs_quota", "tmpfs", [rootOp]);
}

/** That tmpfs, and what the policy shows of the host on it. */
export function planHostRoot(draft: PlanDraft): void {
  const { policy } = draft;
  const { root } = policy.filesystem;
  planStore(draft);
  if (root === "image") {
    const message = "the policy wants an image as the root, and none was named";
    refuse(draft, "invalid_argument", message, policyOrigin(policy, "filesystem.root"), "add --image REF");
  } else if (root === "host") planHostView(draft);
}

/** Files that are the zone's own. */
export function planOwnFiles(draft: PlanDraft): void {
  planIdentityFiles(draft);
  draft.ops.push(...(draft.network?.files ?? []));
  const content = new TextEncoder().encode(draft.request.zoneId);
  const probe = { op: "file", target: landlockProbe, mode: 0o444, content } as const;
  addOp(draft, probe, zoneOrigin("self-test"), "a file that no Landlock rule allows");
}

/** Scratch directories, what the policy lists, and what the kernel shows of itself. */
export function planSurroundings(draft: PlanDraft): void {
  if (draft.request.image !== undefined) planImageScratch(draft, "/tmp", zoneOrigin("scratch"));
  else for (const target of standardScratch) planScratch(draft, target, 0o1777);
  planPolicyPaths(draft);
  planProc(draft);
  planDevices(draft);
}

/** Makes a writable scratch directory, once for each place. */
function planScratch(draft: PlanDraft, target: string, mode: number, origin = zoneOrigin("scratch")): void {
  if (draft.scratches.has(target)) return;
  draft.scratches.add(target);
  addOp(draft, { op: "scratch", target, mode, flags: 0 }, origin, `scratch space at ${target}, gone with the zone`);
}

/** All of an image can be written to: what it has at the place stays to be seen, as docker shows it, and nothing is made that is there. */
function planImageScratch(draft: PlanDraft, target: string, origin: Origin): void {
  addOp(draft, { op: "dir", target, mode: 0o1777 }, origin, `${target} of the image, made if it has none`);
}

/** `readable_paths`, `writable_paths` and `allowed_sockets` of the policy. */
function planPolicyPaths(draft: PlanDraft): void {
  const { policy, request } = draft;
  policy.filesystem.readablePaths.forEach((path, index) => {
    const origin = policyOrigin(policy, `filesystem.readable_paths[${index}]`);
    if (policy.filesystem.root === "host" && request.image === undefined && coveredBy(path, ["/usr"])) return;
    const flags = mountFlag.readOnly | mountFlag.followSource | idmapFlags(draft, true);
    addOp(draft, { op: "bind", source: path, target: path, flags }, origin, `${path} of the host, read-only`);
  });
  policy.filesystem.writablePaths.forEach((path, index) => {
    // Inside the workspace the key lifts a protection (section `workspace`); the workspace itself is writable already.
    if (request.repo !== undefined && isBelow(path, request.repo.path)) return;
    const origin = policyOrigin(policy, `filesystem.writable_paths[${index}]`);
    if (request.image === undefined || coveredBy(path, policy.filesystem.readablePaths))
      planScratch(draft, path, 0o1777, origin);
    else if (path !== "/tmp") planImageScratch(draft, path, origin);
  });
  policy.filesystem.allowedSockets.forEach((path, index) => {
    const origin = policyOrigin(policy, `filesystem.allowed_sockets[${index}]`);
    const flags = mountFlag.readOnly | mountFlag.expectSocket | mountFlag.followSource | mountFlag.noExec;
    addOp(draft, { op: "bind", source: path, target: path, flags }, origin, `the socket ${path} of the host`);
  });
}

/** What the flags add, piece by piece. */
export function planRequestView(draft: PlanDraft): void {
  for (const entry of draft.request.view) {
    const { target, origin } = entry;
    switch (entry.kind) {
      case "ro-bind":
      case "rw-bind": {
        const readOnly = entry.kind === "ro-bind";
        const flags = (readOnly ? mountFlag.readOnly : 0) | mountFlag.followSource | idmapFlags(draft, readOnly);
        const words = `${entry.source} of the host, ${readOnly ? "read-only" : "writable"}`;
        addOp(draft, { op: "bind", source: entry.source, target, flags }, origin, words);
        break;
      }
      case "overlay-bind":
        planCopyOnWrite(draft, entry.source, target, origin, `${entry.source} of the host, copy-on-write`);
        break;
      case "tmpfs":
        planScratch(draft, target, 0o755, origin);
        break;
      case "dir":
        addOp(draft, { op: "dir", target, mode: 0o755 }, origin, `directory ${target}`);
        break;
      case "symlink":
        addOp(draft, { op: "symlink", value: entry.value, target }, origin, `symlink ${target} to ${entry.value}`);
        break;
    }
  }
}

/** `denied_paths`: hidden where the view shows them; anywhere else they must at least exist, or the key is a typing error. */
export function planDenied(draft: PlanDraft): void {
  const { policy } = draft;
  const denied = policy.filesystem.deniedPaths;
  const visible = denied.length === 0 ? [] : visiblePaths(draft);
  const ops = denied.map((path, index) => {
    const origin = policyOrigin(policy, `filesystem.denied_paths[${index}]`);
    if (coveredBy(path, visible)) return addOp(draft, { op: "mask", target: path, flags: 0 }, origin, `${path} hidden`);
    return addOp(draft, { op: "expect", source: path, flags: 0 }, origin, `${path} is in no view`);
  });
  keepView(draft, "filesystem_view", "mounts", ops);
}

/** Places of the zone where files of the host show. */
function visiblePaths(draft: PlanDraft): string[] {
  const paths: string[] = [];
  for (const { op } of draft.ops) {
    if (op.op === "image") paths.push("/");
    if (op.op === "bind" || op.op === "mirror" || op.op === "overlay" || op.op === "copy" || op.op === "file")
      paths.push(op.target);
    if (op.op === "proc") paths.push(op.target);
  }
  return paths;
}
