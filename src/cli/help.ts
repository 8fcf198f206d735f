import { sandboxSpec } from "./commands/sandbox-spec.ts";
import { renderHelp } from "./help/render.ts";

/** What `rauha sandbox --help` prints. */
export function sandboxHelp(): string {
  return renderHelp("rauha sandbox", sandboxSpec, { colour: false });
}
