import type { Origin } from "../../diagnostic.ts";
import type { CopyOnWriteLayer } from "../../request.ts";
import { mountFlag } from "../contract.ts";
import { addOp, type PlanDraft, promise, refuse, zoneOrigin } from "../draft.ts";
import { idmapFlags } from "./identity.ts";

/**
 * A directory of the host that the task sees as it is and changes in a layer of its own. The layer's place on disk was prepared by
 * the runner; here it becomes ops: two helper mounts and the overlayfs on them, or a bind of the copy where overlayfs can't be.
 */
export function planCopyOnWrite(draft: PlanDraft, source: string, target: string, origin: Origin, words: string): void {
  const layer = draft.request.copyOnWrite?.find((candidate) => candidate.target === target);
  if (layer === undefined) {
    const hint = "use --repo-mode ro, or --repo-mode rw (the task changes the host's files)";
    refuse(draft, "unsupported", `${target} can't be shown copy-on-write here`, origin, hint);
    return;
  }
  const ops =
    layer.mechanism === "overlayfs"
      ? planOverlay(draft, layer, source, origin, words)
      : [planCopy(draft, layer, origin, words)];
  const why = layer.reason === undefined ? "" : ` (${layer.reason})`;
  promise(draft, "workspace_copy_on_write", `${layer.mechanism}${why}`, ops);
}

function planCopy(draft: PlanDraft, layer: CopyOnWriteLayer, origin: Origin, words: string): number {
  const flags = mountFlag.expectDir | idmapFlags(draft, false);
  const op = { op: "bind", source: `${layer.storage}/copy`, target: layer.target, flags } as const;
  return addOp(draft, op, origin, `${words}: a copy`);
}

/** The helpers lie on the zone's root for as long as it takes to mount the overlay, and the task sees neither. */
function planOverlay(
  draft: PlanDraft,
  layer: CopyOnWriteLayer,
  source: string,
  origin: Origin,
  words: string,
): number[] {
  const number = draft.ops.filter(({ op }) => op.op === "overlay").length;
  const lower = `/.rauha-lower-${number}`;
  const storage = `/.rauha-layer-${number}`;
  const helper = zoneOrigin("copy-on-write");
  const follow = mountFlag.expectDir | mountFlag.followSource;
  const lowerFlags = follow | mountFlag.readOnly | idmapFlags(draft, false);
  const overlay = {
    op: "overlay",
    lower,
    upper: `${storage}/upper`,
    work: `${storage}/work`,
    target: layer.target,
    flags: 0,
  } as const;
  const ops = [
    addOp(draft, { op: "bind", source, target: lower, flags: lowerFlags }, origin, `${source}, to lie under a layer`),
    addOp(
      draft,
      { op: "bind", source: layer.storage, target: storage, flags: mountFlag.expectDir | idmapFlags(draft, false) },
      helper,
      "the layer that takes the changes",
    ),
    addOp(draft, overlay, origin, words),
  ];
  for (const target of [storage, lower]) addOp(draft, { op: "detach", target }, helper, `${target} out of sight`);
  return ops;
}
