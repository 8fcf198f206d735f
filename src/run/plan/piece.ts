/** The parts of a plan that can be ready (ready.ts), in their order. */
export type PieceName = "root" | "surroundings" | "view" | "locks" | "calls";

/** Ops of a plan that are bytes already. */
export interface PlacedPiece {
  readonly name: PieceName;
  /** The index of the first. */
  readonly at: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** How many guarantees come before the piece's own. */
  readonly promised: number;
}
