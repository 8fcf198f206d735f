/** Tries again what may pass by itself. */
import { pauseMs } from "./back-off.ts";
import { RegistryFailure } from "./failure.ts";

/** Told before each pause. */
export type OnRetry = (what: string, reason: string, delayMs: number) => void;

/** How often something is tried, and who hears of it. */
export interface Patience {
  /** Tries after the first one. */
  readonly retries: number;
  readonly onRetry: OnRetry;
  /** Given by tests. */
  readonly sleep?: (ms: number) => Promise<void>;
}

/** Runs an attempt until it succeeds, fails for good, or has used up the patience. */
export async function withRetries<T>(what: string, patience: Patience, attempt: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      await pauseOrThrow(error, what, tried, patience);
    }
  }
}

/** Waits before another try of what failed, or throws the failure when there should be none. */
export async function pauseOrThrow(error: unknown, what: string, tried: number, patience: Patience): Promise<void> {
  if (!(error instanceof RegistryFailure) || !error.passing || tried > patience.retries) throw error;
  const pause = pauseMs(tried, error.retryAfterMs);
  if (pause === undefined) throw error;
  patience.onRetry(what, error.message, pause);
  await (patience.sleep ?? Bun.sleep)(pause);
}
