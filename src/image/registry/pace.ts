/** A transfer that never ends although it never stalls: told from one on a thin line by how little comes in a minute. */

/** What has to come in a stretch of time. */
export interface Pace {
  readonly bytes: number;
  readonly ms: number;
}

/**
 * 1 KiB/s, on the average of a minute. A modem of 1991 was faster; at less a layer of 30 MiB takes more than eight hours, and whoever waits
 * is better served by another connection, or by knowing. Not in registries.toml: no wish for a slower one can be told from a mistake.
 */
export const slowestPace: Pace = { bytes: 60 * 1024, ms: 60_000 };

/**
 * Watches one transfer. Only waiting for the other side counts: while its bytes are written to a slow disk, it can't help sending none.
 */
export class PaceWatch {
  readonly #pace: Pace;
  #waitedMs = 0;
  #bytes = 0;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** After each piece: how long it was waited for. Gives what came in the stretch that is over now, if that was too little. */
  add(bytes: number, waitedMs: number): { readonly bytes: number; readonly ms: number } | undefined {
    this.#bytes += bytes;
    this.#waitedMs += waitedMs;
    if (this.#waitedMs < this.#pace.ms) return undefined;
    const stretch = { bytes: this.#bytes, ms: this.#waitedMs };
    // A wait that is longer than the stretch (the time-out may be) is judged by the same pace.
    const enough = this.#pace.bytes * (stretch.ms / this.#pace.ms);
    this.#bytes = 0;
    this.#waitedMs = 0;
    return stretch.bytes < enough ? stretch : undefined;
  }
}
