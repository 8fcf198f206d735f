import { shortDigest } from "../../image/digest.ts";
import { type ListedImage, listImages } from "../../image/listing.ts";
import { withImages } from "../image-store.ts";
import { sizeWords } from "../image-words.ts";
import { oneLine } from "../words.ts";
import { answer, answerJson } from "./answer.ts";
import { command } from "./command.ts";

/** `rauha image ls`: what is in the store. */
export const imageLs = command((input) =>
  withImages(input, (store) => {
    const images = listImages(store);
    if (input.json) return answerJson(input.ports, { schema: "rauha.images/v1", store: store.root, images });
    if (images.length === 0) return answer(input.ports, "no image is here\n");
    const rows = [["REFERENCE", "DIGEST", "PLATFORM", "SIZE", "PULLED"], ...images.map(cells)];
    const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
    return answer(input.ports, `${rows.map((row) => line(row).trimEnd()).join("\n")}\n`);
  }),
);

function cells({ reference, digest, platform, size, pulled_at, whole }: ListedImage): string[] {
  const name = oneLine(reference ?? "<none>");
  const bytes = size === null ? "?" : sizeWords(size);
  return [name, shortDigest(digest), platform ?? "?", whole ? bytes : "damaged", pulled_at?.slice(0, 16) ?? ""];
}
