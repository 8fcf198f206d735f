import type { CgroupFacts } from "../../run/host-facts.ts";
import { flag } from "../ffi.ts";
import { readSmallFile } from "../small-file.ts";
import { mayAccess } from "../start/consulting.ts";

const mountPoint = "/sys/fs/cgroup";
const wantedV1 = ["memory", "pids", "cpu"] as const;

/**
 * Where this caller may make a cgroup for a zone. On the unified hierarchy: the nearest ancestor of the caller's own cgroup that the
 * caller may write and that hands controllers to its children; never the caller's own one, whose processes would be in the way
 * (cgroups(7), no internal processes), unless that is the root. On version 1: the caller's own cgroup of each hierarchy.
 */
export function probeCgroup(): CgroupFacts {
  const memberships = parseMemberships(readSmallFile("/proc/self/cgroup") ?? "");
  const unified = mayAccess(`${mountPoint}/cgroup.controllers`, flag.R_OK) ? mountPoint : `${mountPoint}/unified`;
  const own = memberships.get("");
  const v2 = own === undefined ? null : nearestDelegated(unified, own);
  const v1: Partial<Record<(typeof wantedV1)[number], string>> = {};
  for (const controller of wantedV1) {
    if (v2?.controllers.includes(controller)) continue;
    const path = version1Path(memberships, controller);
    if (path !== undefined) v1[controller] = path;
  }
  return { v2, v1, reason: reasonFor(v2, v1) };
}

/** Lines of /proc/PID/cgroup: the path by controller list; the unified hierarchy has the empty list. */
function parseMemberships(text: string): Map<string, string> {
  const memberships = new Map<string, string>();
  for (const line of text.split("\n")) {
    // Without a regular expression: compiling one takes longer than everything else here.
    const names = line.indexOf(":") + 1;
    const path = line.indexOf(":", names) + 1;
    if (names > 0 && path > 0) memberships.set(line.slice(names, path - 1), line.slice(path));
  }
  return memberships;
}

function nearestDelegated(mount: string, own: string): CgroupFacts["v2"] {
  let path = own === "/" ? own : own.slice(0, own.lastIndexOf("/"));
  for (;;) {
    const directory = path === "/" || path === "" ? mount : mount + path;
    const controllers = (readSmallFile(`${directory}/cgroup.subtree_control`, 4096) ?? "").trim().split(" ");
    const useful = controllers.filter((name) => ["memory", "pids", "cpu", "io"].includes(name));
    if (useful.length > 0 && isWritable(directory)) return { path: directory, controllers: useful };
    if (directory === mount) return null;
    path = path.slice(0, path.lastIndexOf("/"));
  }
}

function version1Path(memberships: Map<string, string>, controller: string): string | undefined {
  for (const [names, path] of memberships) {
    if (!names.split(",").includes(controller)) continue;
    // In a container the path is the host's while the mount shows the container's own cgroup as its root.
    for (const candidate of [`${mountPoint}/${names}${path === "/" ? "" : path}`, `${mountPoint}/${names}`]) {
      if (isWritable(candidate)) return candidate;
    }
  }
  return undefined;
}

function isWritable(directory: string): boolean {
  return mayAccess(directory, flag.W_OK) && mayAccess(`${directory}/cgroup.procs`, flag.W_OK);
}

function reasonFor(v2: CgroupFacts["v2"], v1: CgroupFacts["v1"]): string {
  if (v2 !== null) return `${v2.path} gives ${v2.controllers.join(", ")}`;
  const found = Object.keys(v1);
  if (found.length > 0) return `cgroup v1 gives ${found.join(", ")}`;
  return "no cgroup is delegated to this user";
}
