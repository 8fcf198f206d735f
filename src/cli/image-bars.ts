import type { PullEvent, PullReport } from "../run/image.ts";
import { countWords, retryWords, sizeWords } from "./image-words.ts";
import type { Ports } from "./ports.ts";
import { oneLine } from "./words.ts";

/** Progress bars of a pull on a terminal: a line for each layer that is under way, and one for all of them. */

type Layer = Extract<PullEvent, { event: "layer" }>;

const stderr = 2;
const drawEveryMs = 100;
const barWidth = 24;
/** More lines than a small terminal has would scroll instead of being drawn over. */
const mostLayers = 8;
const clearLine = "\u001b[2K";

/** Draws a pull on the terminal that stderr is, a line for each layer, until it ends. */
export function openPullBars(ports: Pick<Ports, "write">): PullReport {
  const layers = new Map<string, Layer>();
  let title = "";
  let total = 0;
  let count = 0;
  let drawn = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  const columns = Math.max(40, process.stderr.columns ?? 80);

  const erase = () => {
    if (drawn > 0) ports.write(stderr, `\u001b[${drawn}A${`${clearLine}\n`.repeat(drawn)}\u001b[${drawn}A`);
    drawn = 0;
  };
  const draw = (force: boolean) => {
    if (!force && performance.now() - lastMs < drawEveryMs) return;
    lastMs = performance.now();
    const lines = [title, ...pullLines([...layers.values()], total, count)].map((line) => line.slice(0, columns - 1));
    const up = drawn > 0 ? `\u001b[${drawn}A` : "";
    // Lines that are no longer needed are emptied and stay, so that what follows is not drawn over.
    const spare = Math.max(0, drawn - lines.length);
    ports.write(stderr, `${up}${[...lines, ...Array(spare).fill("")].map((line) => `${clearLine}${line}\n`).join("")}`);
    drawn = lines.length + spare;
  };
  return {
    tell(event) {
      if (event.event === "resolved") {
        title = oneLine(`pulling ${event.reference} for ${event.platform}`);
        total = event.size;
        count = event.layers;
      } else if (event.event === "layer") {
        const changed = layers.get(event.digest)?.state !== event.state;
        layers.set(event.digest, event);
        draw(changed);
      } else if (event.event === "retry") {
        erase();
        ports.write(stderr, `rauha: ${retryWords(event)}\n`);
        if (title !== "") draw(true);
      }
    },
    end: erase,
  };
}

/** The lines below the title, without a terminal's codes. */
export function pullLines(layers: readonly Layer[], total: number, count: number): string[] {
  const active = layers.filter(({ state }) => state === "downloading" || state === "waiting");
  const shown = active.slice(0, mostLayers).map(layerLine);
  const hidden = active.length - shown.length;
  const here = layers.reduce((sum, layer) => sum + layer.bytes, 0);
  const done = layers.length - active.length;
  const sum = `${bar(here, total)} ${sizeWords(here)} of ${sizeWords(total)}, ${done} of ${countWords(count, "layer")}`;
  return [...shown, ...(hidden > 0 ? [`  and ${hidden} more`] : []), sum];
}

function layerLine({ digest, state, bytes, size }: Layer): string {
  const name = digest.replace(/^\w+:/, "").slice(0, 12);
  if (state === "waiting") return `  ${name} another process fetches it`;
  return `  ${name} ${bar(bytes, size)} ${sizeWords(bytes)} of ${sizeWords(size)}`;
}

function bar(part: number, whole: number): string {
  const filled = whole <= 0 ? barWidth : Math.min(barWidth, Math.floor((part / whole) * barWidth));
  return `[${"=".repeat(filled)}${" ".repeat(barWidth - filled)}]`;
}
