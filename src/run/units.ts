/**
 * Sizes and durations as text, for policies and flags alike.
 *
 * A size is a number of bytes with an optional unit: `1048576`, `512Ki`, `256M`, `1.5Gi`. As with docker, every unit is
 * a power of 1024 whether it is written `K`, `Ki`, `KB` or `KiB`, in any case. A duration is a number of seconds, or numbers
 * with units from large to small: `30`, `30s`, `5m`, `1h30m`, `2d`, `500ms`, `1.5h`.
 */

const sizePowers = { "": 0, k: 1, m: 2, g: 3, t: 4 } as const;

/** Bytes, or undefined for text that is no size or too large to count. A fraction of a byte is dropped. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,20}(?:\.\d{1,20})?)(?:([kmgt]?)(?:i?b)?|([kmgt])i)$/i.exec(text);
  if (match === null) return undefined;
  const unit = (match[2] ?? match[3] ?? "").toLowerCase() as keyof typeof sizePowers;
  // "1iB" is not a unit.
  if (unit === "" && /i/i.test(text)) return undefined;
  const bytes = Math.floor(Number(match[1]) * 1024 ** sizePowers[unit]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The shortest exact text of a number of bytes: `4Gi`, `1536Mi`, `1000`. `parseSize` reads it back. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && value % 1024 === 0 && unit < 4) {
    value /= 1024;
    unit++;
  }
  return `${value}${["", "Ki", "Mi", "Gi", "Ti"][unit]}`;
}

const durationUnits = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;

/** Milliseconds, or undefined for text that is no duration or too long to count. Less than a millisecond is one: 0 means for ever. */
export function parseDuration(text: string): number | undefined {
  if (/^\d{1,20}(\.\d{1,20})?$/.test(text)) return whole(Number(text) * 1000);
  const number = "(\\d{1,20}(?:\\.\\d{1,20})?)";
  const match = new RegExp(`^${durationUnits.map(([unit]) => `(?:${number}${unit})?`).join("")}$`).exec(text);
  if (match === null || text === "") return undefined;
  return whole(durationUnits.reduce((sum, [, ms], index) => sum + Number(match[index + 1] ?? 0) * ms, 0));
}

function whole(ms: number): number | undefined {
  const rounded = ms > 0 ? Math.max(1, Math.round(ms)) : 0;
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}

/** The shortest exact text of a duration: `1h`, `1h30m`, `90s` is `1m30s`, nothing at all is `0`. `parseDuration` reads it back. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = "";
  for (const [unit, size] of durationUnits) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === "" ? "0" : text;
}
