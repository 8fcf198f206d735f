/** What is said of an image that is not here and is not to be fetched. Loaded when that happens. */
import { refuse } from "./image-error.ts";
import { matchingEntries, readEntries } from "./open-store.ts";
import { renderPlatform, selectPlatform } from "./platform.ts";
import { readReference } from "./reference.ts";
import type { ImageStore, Platform } from "./types.ts";

/** Throws the refusal; it says where there is one of that name for other platforms. `because` ends the sentence. */
export function refuseMissing(store: ImageStore, given: string, wanted: Platform, because: string): never {
  const named = matchingEntries(readEntries(store), readReference(given).text);
  // One for the wanted platform is here as well, and not whole.
  const entries = selectPlatform(named, wanted) === undefined ? named : [];
  const platforms = entries.flatMap(({ platform }) => (platform === undefined ? [] : [renderPlatform(platform)]));
  const [first] = platforms;
  if (first === undefined)
    refuse("not_found", `the image ${given} is not stored here${because}`, `rauha image pull ${given}`);
  refuse(
    "not_found",
    `the image ${given} is stored here for ${[...new Set(platforms)].join(", ")} only${because}`,
    `--platform ${first} takes that one; rauha image pull ${given} gets another`,
  );
}
