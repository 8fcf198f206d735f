/** Network mode bridged, attacked and used: on the machine that runs the tests, and once more in the rig's VM. */
import { forgedCases } from "./forged.ts";
import { type Extent, hostCases } from "./host.ts";
import { neighbourCases } from "./neighbours.ts";
import { BridgedStage } from "./stage.ts";
import { wayInCases } from "./way-in.ts";
import { wayOutCases } from "./way-out.ts";

/** `brief`: only what the kernel's version may decide. The rest is long on an emulated processor. */
export function bridgedCases({ brief = false, ...extent }: Extent & { readonly brief?: boolean }): void {
  const stage = new BridgedStage(brief);
  wayOutCases(stage);
  forgedCases(stage);
  wayInCases(stage);
  neighbourCases(stage);
  hostCases(stage, extent);
}
