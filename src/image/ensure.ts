/** The image that a run asks for: from the store, or from its registry first. The registry's code is loaded only when it is asked. */
import type { Diagnostic } from "../run/diagnostic.ts";
import type { Policy } from "../run/policy/policy.ts";
import { ImageError, orDamaged } from "./image-error.ts";
import { readReference } from "./reference.ts";
import type { ImageStore, Platform, PullEvent, PullPolicy, StoredImage } from "./types.ts";

/** How an image is to be had. */
export interface EnsureOptions {
  readonly pull: PullPolicy;
  /** What it says of images holds. */
  readonly policy: Policy;
  /** Default: this machine's. */
  readonly platform?: Platform | undefined;
  readonly progress?: ((event: PullEvent) => void) | undefined;
  /** Where credentials, proxies and settings are looked up. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The image, whole in the store; or the reason why it can't be had. Never throws for what a user or a registry did. */
export async function ensureImage(
  store: ImageStore,
  reference: string,
  options: EnsureOptions,
): Promise<StoredImage | Diagnostic> {
  try {
    if (options.pull !== "always") {
      const found = store.resolve(reference, options.platform);
      const stored = await (options.pull === "never" ? found : orDamaged(found));
      if (stored !== undefined) return stored;
      if (options.pull === "never") return notHere(reference);
    }
    const [{ pullImage }, { loadRegistryConfig }] = await Promise.all([
      import("./pull.ts"),
      import("./registry/registry-files.ts"),
    ]);
    const config = loadRegistryConfig(store.host.io, options.env);
    return await pullImage(store, reference, { ...options, config });
  } catch (error) {
    if (error instanceof ImageError) return error.diagnostic;
    throw error;
  }
}

/** Tells an image from the reason why there is none. */
export function isImage(outcome: StoredImage | Diagnostic): outcome is StoredImage {
  return "layers" in outcome;
}

function notHere(given: string): Diagnostic {
  const { text } = readReference(given);
  const hint = `rauha image pull ${text}`;
  return { code: "not_found", message: `${text} is not in the image store, and nothing is pulled`, hint };
}
