/** What a pull tells of itself: every change of a layer's state, and its bytes no more often than is of use to anybody. */
import type { PullEvent } from "./types.ts";

const bytesEveryMs = 200;

/** Tells how far the layers of a pull are, and not oftener than anyone could read it. */
export class LayerProgress {
  readonly #tell: (event: PullEvent) => void;
  readonly #last = new Map<string, number>();
  /** Bytes that came over the network. */
  downloaded = 0;

  constructor(tell: (event: PullEvent) => void) {
    this.#tell = tell;
  }

  state(layer: { readonly digest: string; readonly size: number }, state: LayerState, bytes: number): void {
    this.#last.set(layer.digest, performance.now());
    this.#tell({ event: "layer", digest: layer.digest, state, bytes, size: layer.size });
  }

  bytes(layer: { readonly digest: string; readonly size: number }, bytes: number): void {
    if (performance.now() - (this.#last.get(layer.digest) ?? 0) >= bytesEveryMs)
      this.state(layer, "downloading", bytes);
  }
}

type LayerState = Extract<PullEvent, { event: "layer" }>["state"];
