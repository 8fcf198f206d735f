import type { Origin } from "../../diagnostic.ts";
import { policyOrigin } from "../../policy/policy.ts";
import { mountFlag } from "../contract.ts";
import { addOp, keep, type PlanDraft, zoneOrigin } from "../draft.ts";

/** The devices of every zone: harmless, and no program starts without them. */
const minimalDevices = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

const links: readonly (readonly [target: string, value: string])[] = [
  ["/dev/ptmx", "pts/ptmx"],
  ["/dev/fd", "/proc/self/fd"],
  ["/dev/stdin", "/proc/self/fd/0"],
  ["/dev/stdout", "/proc/self/fd/1"],
  ["/dev/stderr", "/proc/self/fd/2"],
];

/** A /dev of few nodes, each bound from the host since no node may be made in a user namespace; terminals of the zone's own. */
export function planDevices(draft: PlanDraft): void {
  const { policy } = draft;
  const origin = zoneOrigin("devices");
  // What an image has there is no device of the host's.
  if (draft.request.image !== undefined)
    addOp(draft, { op: "scratch", target: "/dev", mode: 0o755, flags: mountFlag.noExec }, origin, "a /dev of its own");
  const ops = minimalDevices.map((path) => planDevice(draft, path, origin));
  policy.devices.allowed.forEach((path, index) => {
    if (minimalDevices.includes(path)) return;
    ops.push(planDevice(draft, path, policyOrigin(policy, `devices.allowed[${index}]`)));
  });
  ops.push(addOp(draft, { op: "devpts", target: "/dev/pts" }, origin, "terminals of the zone's own"));
  draft.scratches.add("/dev/shm");
  addOp(draft, { op: "scratch", target: "/dev/shm", mode: 0o1777, flags: mountFlag.noExec }, origin, "shared memory");
  for (const [target, value] of links) addOp(draft, { op: "symlink", value, target }, origin, `${target}`);
  keep(draft, "devices", "mounts", ops);
}

function planDevice(draft: PlanDraft, path: string, origin: Origin): number {
  const flags = mountFlag.dev | mountFlag.noExec | mountFlag.expectFile;
  return addOp(draft, { op: "bind", source: path, target: path, flags }, origin, `device ${path}`);
}
