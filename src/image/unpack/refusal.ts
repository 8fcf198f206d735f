/** Why a layer is not unpacked: what is wrong with its archive, and with which entry. Nothing of the layer is kept. */
export class LayerRefusal extends Error {
  override readonly name = "LayerRefusal";
  /** The entry's name as the archive has it, a byte string (each character one byte); undefined for the archive as a whole. */
  readonly entry: string | undefined;
  readonly reason: string;

  constructor(reason: string, entry?: string) {
    super(entry === undefined ? reason : `${entry}: ${reason}`);
    this.reason = reason;
    this.entry = entry;
  }
}

export const deviceReason = "a device";
export const pipeReason = "a named pipe";
