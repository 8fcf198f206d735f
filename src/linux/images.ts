import { subordinateIdsAsked } from "../image/ids-setting.ts";
import { ImageError } from "../image/image-error.ts";
import { openStore } from "../image/open-store.ts";
import { readPlatform } from "../image/platform.ts";
import { prepareImage } from "../image/prepare.ts";
import { storeRoot } from "../image/store-root.ts";
import type { StoreHost } from "../image/types.ts";
import type { OwnIds } from "../run/ids/zone-ids.ts";
import type { Images } from "../run/image.ts";
import type { Consulted } from "../run/start/consulted.ts";
import { probeFacts } from "./probe/facts.ts";

/** Images on Linux: the user's store, unpacked in zones. */
export function linuxImages(host: StoreHost, consulted?: Consulted): Images {
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
        consulted,
        owners: () => probeFacts().privileged,
        ids: () => subordinateIds(host),
        join: async (...work) => {
          const { joinInZone } = await import("./unpack/run.ts");
          return joinInZone(...work);
        },
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
    subordinateIds: async () => (await import("./ids/readiness.ts")).readiness(host.io),
    empty: async (directory, ids) => (await import("./unpack/run.ts")).mendInZone({ do: "empty" }, directory, ids),
    async reclaim(directory, maps) {
      const lines = (kind: "uid_map" | "gid_map") => maps.flatMap(({ op }) => (op.op === kind ? [op] : []));
      const [uid, gid] = [lines("uid_map"), lines("gid_map")];
      const own = uid.find(({ outside }) => outside === process.getuid?.());
      if (own === undefined) return [];
      const { mendInZone } = await import("./unpack/run.ts");
      return mendInZone({ do: "own", uid: own.inside }, directory, { uid, gid });
    },
  };
}

/** The caller's subordinate ids, where a file of settings asks for them. Root's zones have ranges of their own. */
async function subordinateIds({ io }: StoreHost): Promise<OwnIds | undefined> {
  const asked = await subordinateIdsAsked(io, process.env);
  if (asked === undefined || probeFacts().privileged) return undefined;
  const { readOwnIds } = await import("./ids/own-ids.ts");
  const own = readOwnIds(process.env);
  if (own.ok) return own.ids;
  const why = `${asked} asks for subordinate ids`;
  throw new ImageError(own.diagnostics.map((each) => ({ ...each, message: `${why}: ${each.message}` })));
}
