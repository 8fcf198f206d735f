import type { Diagnostic } from "./diagnostic.ts";
import type { ImageRoot } from "./request.ts";

/** The image that a run names. */
export interface ImageWish {
  readonly reference: string;
  readonly pull: "always" | "missing" | "never";
  /** `linux/arm64/v8`; absent: the host's. */
  readonly platform?: string | undefined;
  /** Nothing is pulled and nothing unpacked: only what is there is told. */
  readonly dry: boolean;
}

/** An image ready to be a zone's root, and the command that it brings. */
export interface ReadyImage extends ImageRoot {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
}

export type ImageOutcome =
  | { readonly ok: true; readonly image: ReadyImage }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** What a backend does about images before a run: pulls what is missing, unpacks what is packed, reads who the image's user is. */
export interface Images {
  /** `say` gets a line for people now and then while it takes time. What was prepared stays usable as long as this process lives. */
  prepare(wish: ImageWish, say: (line: string) => void): Promise<ImageOutcome>;
}
