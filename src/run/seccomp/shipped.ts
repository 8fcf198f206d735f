import type { DeniedAction } from "./action.ts";
import { answerDenials } from "./bpf.ts";
import { type FilterInputs, filterKey } from "./filter-key.ts";
import { decidingCapabilities, filters } from "./filters.gen.ts";

/**
 * The filter of the default profile when it was compiled at build time, as for every shipped policy and every policy that
 * changes nothing of this; else undefined, and `compileSeccomp` makes it.
 */
export function shippedFilter(inputs: FilterInputs, deniedAction: DeniedAction): Uint8Array | undefined {
  const packed = filters[filterKey(inputs, decidingCapabilities)];
  if (packed === undefined) return undefined;
  const filter = Uint8Array.fromBase64(packed);
  // Stored as nearly every zone takes it: going through a filter at each start costs more than all that surrounds it.
  return deniedAction === "notify" ? filter : answerDenials(filter);
}
