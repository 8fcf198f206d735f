import type { PieceName } from "./piece.ts";
import type { PlannedGuarantee } from "./plan.ts";

/** Ops that follow each other in every plan of their kind. */
export interface ReadyPiece {
  readonly count: number;
  /** How many bytes of the zone's they take on the wire. */
  readonly size: number;
}

/** All that is ready of one kind of zone. */
export interface ReadyZone extends Readonly<Record<PieceName, ReadyPiece>> {
  /** The ops of the pieces, encoded, one after the other; in base64. */
  readonly bytes: string;
  /** Places that Landlock rules name, and those of them below which everything may be read whatever the host has. */
  readonly places: readonly string[];
  readonly covering: readonly string[];
  readonly profile: string;
  readonly deny: readonly string[];
}

/** What the ops of each piece keep. Indexes count from the piece's first op. */
export type ReadyPromises = Readonly<Record<PieceName, readonly PlannedGuarantee[]>>;
