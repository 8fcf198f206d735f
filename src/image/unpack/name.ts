import { nameLimits } from "./limits.ts";
import { LayerRefusal } from "./refusal.ts";

/** Where an entry goes: the directory, "" for the layer's root, and its name there; "" for the root itself. */
export interface Place {
  readonly parent: string;
  readonly name: string;
}

/**
 * The place that a name means below the layer's root, or a refusal. `.` and doubled slashes mean nothing; what leads up, starts at the
 * top of the system, or the kernel could not take, is refused. Names are byte strings.
 */
export function placeOf(written: string, entry = written): Place {
  if (written.includes("\0")) throw new LayerRefusal("a name holds a NUL", entry);
  // umoci writes the root itself as "/": it names nothing outside, as "./" doesn't.
  if (written.startsWith("/") && !/^\/+$/.test(written)) throw new LayerRefusal("an absolute name", entry);
  if (written.length > nameLimits.path) throw new LayerRefusal(`a name of more than ${nameLimits.path} bytes`, entry);
  const parts = written.split("/").filter((part) => part !== "" && part !== ".");
  for (const part of parts) {
    if (part === "..") throw new LayerRefusal("a name that leads up", entry);
    if (part.length > nameLimits.component)
      throw new LayerRefusal(`a name of more than ${nameLimits.component} bytes`, entry);
  }
  if (parts.length > nameLimits.depth) throw new LayerRefusal(`more than ${nameLimits.depth} directories deep`, entry);
  const name = parts.pop() ?? "";
  const through = parts.find((part) => part.startsWith(whiteoutPrefix));
  if (through !== undefined) throw new LayerRefusal("it lies below a whiteout", entry);
  return { parent: parts.join("/"), name };
}

const whiteoutPrefix = ".wh.";
const opaqueName = ".wh..wh..opq";
const reservedPrefix = ".wh..wh.";

/** What a name says about the layers below, as the OCI image specification has it. */
export type Mark =
  | { readonly kind: "opaque" }
  | { readonly kind: "whiteout"; readonly name: string }
  /** Notes of a file system that is long gone (aufs); they mean nothing to anyone. */
  | { readonly kind: "nothing" };

/** The mark that a name is; undefined for the name of something. */
export function markOf(name: string, entry: string): Mark | undefined {
  if (!name.startsWith(whiteoutPrefix)) return undefined;
  if (name === opaqueName) return { kind: "opaque" };
  if (name.startsWith(reservedPrefix)) return { kind: "nothing" };
  const hidden = name.slice(whiteoutPrefix.length);
  if (hidden === "" || hidden === "." || hidden === "..") throw new LayerRefusal("a whiteout of nothing", entry);
  return { kind: "whiteout", name: hidden };
}
