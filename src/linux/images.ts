import { ImageError } from "../image/image-error.ts";
import { openStore } from "../image/open-store.ts";
import { readPlatform } from "../image/platform.ts";
import { prepareImage } from "../image/prepare.ts";
import { storeRoot } from "../image/store-root.ts";
import type { StoreHost } from "../image/types.ts";
import type { Images } from "../run/image.ts";
import { probeFacts } from "./probe/facts.ts";

/** Images on Linux: the user's store, unpacked in zones. */
export function linuxImages(host: StoreHost): Images {
  return {
    async prepare(wish, policy, audience) {
      const uid = process.getuid?.() ?? 0;
      let root: string;
      try {
        root = storeRoot(process.env, uid);
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        return { ok: false, diagnostics: error.diagnostics };
      }
      const store = openStore({ root, host });
      return prepareImage(store, wish, {
        ...audience,
        policy,
        owners: () => probeFacts().privileged,
        unpack: async (...work) => {
          const { unpackInZone } = await import("./unpack/run.ts");
          return unpackInZone()(...work);
        },
        ensure: async (reference, { platform, ...options }) => {
          const { ensureImage, isImage } = await import("../image/ensure.ts");
          const wanted = platform === undefined ? undefined : readPlatform(platform);
          const found = await ensureImage(store, reference, { ...options, platform: wanted, env: process.env });
          if (isImage(found)) return found;
          throw new ImageError([found]);
        },
      });
    },
  };
}
