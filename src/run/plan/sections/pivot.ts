import { addOp, type PlanDraft, zoneOrigin } from "../draft.ts";

/** The zone's root takes the place of the host's. */
export function planPivot(draft: PlanDraft): void {
  const [readOnly, words] =
    draft.request.image === undefined ? [1, "the root read-only"] : [0, "the image is the root"];
  addOp(draft, { op: "pivot", read_only_root: readOnly }, zoneOrigin("root"), `the host's tree is gone, ${words}`);
}
