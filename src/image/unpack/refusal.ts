/** A limit of a policy's section `image`. */
export type LayerLimit = "layer_size" | "layer_entries" | "layer_ratio";

/** Why a layer is not unpacked: what is wrong with its archive, and with which entry. Nothing of the layer is kept. */
export class LayerRefusal extends Error {
  override readonly name = "LayerRefusal";
  /** The entry's name as the archive has it, a byte string (each character one byte); undefined for the archive as a whole. */
  readonly entry: string | undefined;
  readonly reason: string;
  /** The policy's limit that it breaks, if that is the reason. */
  readonly limit: LayerLimit | undefined;

  constructor(reason: string, entry?: string, limit?: LayerLimit) {
    super(entry === undefined ? reason : `${entry}: ${reason}`);
    this.reason = reason;
    this.entry = entry;
    this.limit = limit;
  }
}

export const deviceReason = "a device";
export const pipeReason = "a named pipe";
/** How the reason goes on for an owner that no zone could show; the last id follows. */
export const ownerReason = "is none of a zone's ids, 0 to";
