import { hostIds } from "../../run/plan/sections/identity.ts";
import { readSmallFile } from "../small-file.ts";

/**
 * Whether the ids that root's zones get exist here. In a user namespace of somebody's (a rootless container) root has every
 * capability and still only the ids that were mapped for it: there a zone is made as for any other user.
 */
export function hasHostIds(): boolean {
  return ["/proc/self/uid_map", "/proc/self/gid_map"].every((path) => coversHostIds(readSmallFile(path, 4096) ?? ""));
}

/** What the kernel writes for the user namespace that it has booted with: all ids, each as itself. */
const initialMap = "         0          0 4294967295\n";

/** Lines of `inside outside count`, user_namespaces(7); ours must lie in one of them. */
export function coversHostIds(map: string): boolean {
  if (map === initialMap) return true;
  return map.split("\n").some((line) => {
    // Without a regular expression: compiling one takes longer than the rest of this file.
    const columns = line.split(" ").filter((column) => column !== "");
    const [inside = 0, , count = 0] = columns.map(Number);
    return inside <= hostIds.first && hostIds.end <= inside + count;
  });
}
