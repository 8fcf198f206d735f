import { isBelow } from "../../absolute-path.ts";
import { gitPointer, laterRunFiles, pinnedDirectories } from "../../later-run-files.ts";
import { policyOrigin } from "../../policy/policy.ts";
import { mountFlag } from "../contract.ts";
import { addOp, type PlanDraft, refuse, zoneOrigin } from "../draft.ts";
import { planCopyOnWrite } from "./copy-on-write.ts";
import { idmapFlags } from "./identity.ts";

/** The workspace at its own path, or where an image zone has it: copy-on-write, or the host's files themselves, read-only or writable as asked. */
export function planWorkspace(draft: PlanDraft): void {
  const { request } = draft;
  if (request.repo === undefined) return;
  const { path, target = path, mode, origin } = request.repo;
  if (path === "/" || ["/proc", "/dev", "/sys"].some((tree) => isBelow(path, tree))) {
    const message = `${path} can't be a workspace: the zone has its own`;
    refuse(draft, "invalid_argument", message, origin, "name the directory of a project");
    return;
  }
  if (mode === "overlay") {
    planCopyOnWrite(draft, path, target, origin, "the workspace, copy-on-write");
    return;
  }
  const readOnly = mode === "ro";
  const flags =
    mountFlag.expectDir | mountFlag.followSource | (readOnly ? mountFlag.readOnly : 0) | idmapFlags(draft, readOnly);
  const words = readOnly ? "the workspace, read-only" : "the workspace, writable";
  addOp(draft, { op: "bind", source: path, target, flags }, origin, words);
  if (!readOnly) planLaterRunFiles(draft, path, target);
}

/** Policies name them by their paths on the host, `root`; the zone has them below `inside`. */
function planLaterRunFiles(draft: PlanDraft, root: string, inside: string): void {
  const { policy } = draft;
  const writable = policy.filesystem.writablePaths;
  const pins = mountFlag.optional | idmapFlags(draft, false);
  for (const name of pinnedDirectories) {
    const [path, target] = [`${root}/${name}`, `${inside}/${name}`];
    const op = { op: "bind", source: path, target, flags: pins } as const;
    addOp(draft, op, zoneOrigin("workspace"), `${target} stays in place`);
  }
  for (const name of [gitPointer, ...laterRunFiles]) {
    const path = `${root}/${name}`;
    const listed = writable.findIndex((entry) => isBelow(path, entry) && isBelow(entry, root));
    if (listed >= 0) {
      const origin = policyOrigin(policy, `filesystem.writable_paths[${listed}]`);
      const message = `${path} is writable, and what is in it runs outside the zone later`;
      draft.warnings.push({ code: "unenforceable", message, origin });
      continue;
    }
    const flags = mountFlag.optional | (name === gitPointer ? mountFlag.expectFile : 0);
    const op = { op: "read_only", target: `${inside}/${name}`, flags } as const;
    const what = name === gitPointer ? "if it is a file: it names what git reads" : "it runs outside the zone later";
    addOp(draft, op, zoneOrigin("workspace"), `${path} read-only: ${what}`);
  }
}
