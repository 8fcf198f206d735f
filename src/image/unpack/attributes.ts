import { nameLimits } from "./limits.ts";
import { LayerRefusal } from "./refusal.ts";

/** What a directory's attribute of this name says to overlayfs (`userxattr`): nothing below it is seen. */
export const opaqueAttribute = "user.overlay.opaque";

/** Notes by which overlayfs would take an entry for another one: no archive may write them. */
const overlayNotes = /^(user|trusted)\.overlay\./;

/**
 * The attributes of an entry that are kept. Those of programs (`user.*`) always; file capabilities and ACLs where owners are kept,
 * since they name ids; labels of the security module that made the image mean nothing here and are left out, as other tools do.
 */
export function keptAttributes(
  attributes: ReadonlyMap<string, Uint8Array>,
  owners: boolean,
  entry: string,
): [key: string, value: Uint8Array][] {
  const kept: [string, Uint8Array][] = [];
  for (const [key, value] of attributes) {
    if (overlayNotes.test(key))
      throw new LayerRefusal(`it carries overlayfs' own attribute ${JSON.stringify(key)}`, entry);
    if (key.includes("\0") || key.length > nameLimits.component || value.length > nameLimits.attributeValue)
      throw new LayerRefusal("an extended attribute of it is too long, or its name is none", entry);
    const named = key === "security.capability" || key.startsWith("system.posix_acl_");
    if (key.startsWith("user.") || (owners && named)) kept.push([key, value]);
  }
  return kept;
}
