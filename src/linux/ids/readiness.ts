import { subordinateIdsAsked } from "../../image/ids-setting.ts";
import { ImageError } from "../../image/image-error.ts";
import type { StoreHost } from "../../image/types.ts";
import type { Diagnostic } from "../../run/diagnostic.ts";
import { idMapOps } from "../../run/ids/map-ops.ts";
import type { SubordinateIds } from "../../run/ids/readiness.ts";
import { lastId, mapsFor } from "../../run/ids/zone-ids.ts";
import { readOwnIds } from "./own-ids.ts";

/** What the caller has of subordinate ids, and whether his settings ask for them. */
export async function readiness(io: StoreHost["io"]): Promise<SubordinateIds> {
  const problems: Diagnostic[] = [];
  let asked: string | undefined;
  try {
    asked = await subordinateIdsAsked(io, process.env);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    asked = "registries.toml";
    problems.push(...error.diagnostics);
  }
  const own = readOwnIds(process.env);
  if (!own.ok) return { asked, last: 0, maps: [], problems: [...problems, ...own.diagnostics] };
  const ids = mapsFor(own.ids, 0, 0);
  return { asked, last: Math.min(lastId(ids.uid), lastId(ids.gid)), maps: idMapOps(ids), problems };
}
