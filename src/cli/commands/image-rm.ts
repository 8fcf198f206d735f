import { removeLayers } from "../../image/layers/remove-layers.ts";
import { pruneImages, type Removed, removeImages } from "../../image/removal.ts";
import { platformOf, withImages } from "../image-store.ts";
import { sizeWords } from "../image-words.ts";
import { oneLine } from "../words.ts";
import { answer, answerJson } from "./answer.ts";
import { type CommandInput, command } from "./command.ts";

/** `rauha image rm REF…` */
export const imageRm = command((input) =>
  withImages(input, async (store) =>
    tell(input, "rm", await removeImages(store, input.operands, platformOf(input), removeLayers)),
  ),
);

/** `rauha image prune` */
export const imagePrune = command((input) =>
  withImages(input, async (store) =>
    tell(input, "prune", await pruneImages(store, input.given.one("all") === true, removeLayers)),
  ),
);

function tell({ json, ports }: CommandInput, name: "rm" | "prune", removed: Removed): number {
  const { references, blobs, layers, bytes, damaged } = removed;
  const notes = damaged.map((layer) => `rauha: removed a damaged layer: ${oneLine(layer)}\n`);
  if (notes.length > 0) ports.write(2, notes.join(""));
  if (json) {
    const schema = `rauha.image.${name}/v1`;
    return answerJson(ports, {
      schema,
      removed: references,
      blobs,
      unpacked_layers: layers,
      bytes_freed: bytes,
      damaged,
    });
  }
  const lines = references.map((reference) => `removed ${oneLine(reference)}\n`);
  return answer(ports, `${lines.join("")}${sizeWords(bytes)} freed\n`);
}
