import type { PullEvent } from "../image/types.ts";
import { oneLine } from "./words.ts";

/** Why something is tried again, and when. */
export function retryWords({ what, reason, delay_ms }: Extract<PullEvent, { event: "retry" }>): string {
  const next = delay_ms === 0 ? "trying again" : `trying again in ${(delay_ms / 1000).toFixed(1)} s`;
  return oneLine(`${what}: ${reason}; ${next}`);
}

/** `12.3 MiB`: three digits are enough for people. */
export function sizeWords(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < 4) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${["B", "KiB", "MiB", "GiB", "TiB"][unit]}`;
}

/** `1 layer`, `2 layers`. */
export function countWords(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
