/** When a request that failed is tried again. Pure, but for the dice. */

const firstMs = 250;
const mostMs = 15_000;
/** A registry that asks for a longer pause is not waited for. */
const longestWaitMs = 60_000;

/** The pause before try number `attempt` (from 1): doubling, with a random part so that many don't come back at once. */
export function backOffMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(mostMs, firstMs * 2 ** (attempt - 1));
  return Math.round(full / 2 + (full / 2) * random());
}

/** `Retry-After` (RFC 9110, 10.2.3): seconds or a date; undefined when it says neither. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? "";
  if (/^[0-9]{1,9}$/.test(text)) return Number(text) * 1000;
  const at = text === "" ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** The pause before the next try; undefined when the registry asks for more patience than we have. */
export function pauseMs(attempt: number, retryAfter: number | undefined): number | undefined {
  if (retryAfter !== undefined && retryAfter > longestWaitMs) return undefined;
  return Math.max(retryAfter ?? 0, backOffMs(attempt));
}
