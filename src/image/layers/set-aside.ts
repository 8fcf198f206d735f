import { renameSync } from "node:fs";
import { errnoOf, refuseWrite } from "../store/layout.ts";
import { partialSuffix } from "./remove-work.ts";

/**
 * Takes its name from a layer of which the record is another version's, or missing: the name is free for one that is unpacked anew. Zones
 * that have it mounted keep it, by its directory, and what sweeps partial layers removes it after them. Under the layer's lock.
 */
export function setAside(target: string, work: string, name: string): void {
  const aside = `${work}/${name}.${crypto.randomUUID()}${partialSuffix}`;
  try {
    renameSync(target, aside);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") refuseWrite(target, error);
  }
}
