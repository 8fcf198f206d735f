/** One question that a start asked the host, and the answer. */
export type Consultation =
  /** At most `limit` bytes of a file, or `-errno`. */
  | { readonly kind: "read"; readonly path: string; readonly limit: number; readonly outcome: Uint8Array | number }
  | { readonly kind: "access"; readonly path: string; readonly mode: number; readonly allowed: boolean }
  /** A directory that must not be removed as long as the zone lives. */
  | { readonly kind: "hold"; readonly path: string };

/**
 * What a start asked the host until its plan was made: with the same answers, the same command line gives the same plan. To note something
 * costs next to nothing, since most of it is on the way of every start.
 */
export class Consulted {
  readonly all: Consultation[] = [];
  #isClosed = false;
  #isComplete = true;

  /** Whether all that the plan depends on is here. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  read(path: string, limit: number, outcome: Uint8Array | number): void {
    if (!this.#isClosed) this.all.push({ kind: "read", path, limit, outcome });
  }

  access(path: string, mode: number, allowed: boolean): void {
    if (!this.#isClosed) this.all.push({ kind: "access", path, mode, allowed });
  }

  hold(path: string): void {
    if (!this.#isClosed) this.all.push({ kind: "hold", path });
  }

  /** The plan depends on something that can't be noted, or the start did something besides. */
  otherwise(): void {
    if (!this.#isClosed) this.#isComplete = false;
  }

  /** The plan is made: what is asked from here on has no bearing on it. */
  close(): void {
    this.#isClosed = true;
  }
}
