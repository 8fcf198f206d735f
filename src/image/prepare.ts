import type { OwnIds } from "../run/ids/zone-ids.ts";
import type { ImageAudience, ImageOutcome, ImageWish, ReadyImage } from "../run/image.ts";
import type { Policy } from "../run/policy/policy.ts";
import { errnoName } from "../run/report/errno.ts";
import type { ImageUser } from "../run/request.ts";
import type { Consulted } from "../run/start/consulted.ts";
import { TreeError } from "../run/tree-fs.ts";
import { ImageError, refuse } from "./image-error.ts";
import { checkUnpacked } from "./layers/layer-limits.ts";
import { type LayerSpace, layerSpace } from "./layers/layer-space.ts";
import {
  holdLayer,
  jointPath,
  layerPath,
  readStored,
  type StoredLayer,
  storedLayer,
  treeName,
} from "./layers/stored-layer.ts";
import type { Join, Unpack } from "./layers/unpacker.ts";
import type { ReadyIn } from "./mapped-image.ts";
import { hostPlatform, readPlatform, renderPlatform, selectPlatform } from "./platform.ts";
import { StackedLayers, visibleLayers } from "./rootfs/stacked.ts";
import { stopSignal } from "./rootfs/stop-signal.ts";
import { findUser } from "./rootfs/users.ts";
import type { ImageStore, LayerDescriptor, PullEvent, StoredImage } from "./types.ts";

/** How an image becomes a root, and who hears of it. */
export interface PrepareOptions extends ImageAudience {
  /** What it says of images holds. */
  readonly policy: Policy;
  /** Hears of what is asked besides `readText`. */
  readonly consulted?: Consulted | undefined;
  /** Whether layers keep the owners that their archives say. */
  readonly owners: () => boolean;
  readonly unpack: Unpack;
  readonly join: Join;
  /** The ids that an ordinary user's zones are to have; undefined: one, or root's. Throws an ImageError where they can't have them. */
  readonly ids: () => Promise<OwnIds | undefined>;
  /** Gets the image from its registry, if it has to. */
  readonly ensure: (
    reference: string,
    options: {
      readonly pull: "always" | "missing";
      readonly platform?: string | undefined;
      readonly policy: Policy;
      readonly progress: (event: PullEvent) => void;
    },
  ) => Promise<StoredImage>;
}

const accountsBytes = 1 << 20;
const retryMs = 5;

/**
 * Makes an image ready to be a zone's root: pulled, unpacked, its configuration in the zone's terms. An image that is all there costs
 * a few small reads: whatever pulls or unpacks is loaded only then.
 */
export async function prepareImage(store: ImageStore, wish: ImageWish, options: PrepareOptions): Promise<ImageOutcome> {
  try {
    const stored = await findImage(store, wish, options);
    if (wish.platform !== undefined) sayForeign(stored, options);
    const own = await options.ids();
    if (wish.platform !== undefined || own !== undefined) options.consulted?.otherwise();
    const readyIn: ReadyIn = async (space, user) => {
      const unpacking = { ...options, space };
      const layers = wish.dry ? undefined : await withJoint(store, await layersOf(store, stored, unpacking), unpacking);
      return readyImage(store, wish, stored, { space, layers, user, consulted: options.consulted });
    };
    if (own === undefined) return { ok: true, image: await readyIn(layerSpace(store.root)) };
    const { mappedImage } = await import("./mapped-image.ts");
    return { ok: true, image: await mappedImage(own, store.root, wish.ids, readyIn) };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const origin = { kind: "flag", flag: "--image" } as const;
    return { ok: false, diagnostics: error.diagnostics.map((each) => ({ origin, ...each })) };
  }
}

async function findImage(
  store: ImageStore,
  wish: ImageWish,
  { ensure, policy, say, bars, consulted }: PrepareOptions,
): Promise<StoredImage> {
  const { reference, pull, dry } = wish;
  const platform = wish.platform === undefined ? undefined : readPlatform(wish.platform);
  const found = pull === "always" && !dry ? undefined : await store.resolve(reference, platform);
  if (found !== undefined) return found;
  consulted?.otherwise();
  if (dry || pull === "never") {
    const { refuseMissing } = await import("./missing.ts");
    return refuseMissing(
      store,
      reference,
      platform ?? hostPlatform(),
      dry ? "" : ", and --pull never forbids to get it",
    );
  }
  const drawn = await bars?.();
  const progress = (event: PullEvent) => {
    drawn?.tell(event);
    if (drawn !== undefined) return;
    if (event.event === "resolved")
      say(`pulling ${event.reference} for ${event.platform}: ${event.layers} layers, ${event.size} bytes`);
    if (event.event === "retry") say(`${event.what}: ${event.reason}; trying again`);
    if (event.event === "done" && !event.up_to_date) say(`pulled ${event.reference}: ${event.downloaded_bytes} bytes`);
  };
  try {
    return await ensure(reference, { pull, platform: wish.platform, policy, progress });
  } finally {
    drawn?.end();
  }
}

/** Its programs may run all the same, by an emulator that the kernel knows (binfmt_misc). */
function sayForeign({ reference, config }: StoredImage, { say }: PrepareOptions): void {
  const host = hostPlatform();
  if (selectPlatform([{ platform: config }], host) === undefined)
    say(`${reference} is for ${renderPlatform(config)}, and this machine is ${renderPlatform(host)}`);
}

interface Unpacking extends PrepareOptions {
  readonly space: LayerSpace;
}

/** All layers, unpacked, and kept from being removed meanwhile. */
async function layersOf(store: ImageStore, { layers }: StoredImage, options: Unpacking): Promise<StoredLayer[]> {
  const ready: StoredLayer[] = [];
  for (const [index, layer] of layers.entries()) {
    for (;;) {
      const stored =
        storedLayer(options.space, layer.diffId, store.host) ??
        (await unpackMissing(store, layer, index, layers.length, options));
      checkUnpacked(options.policy, layer, stored.summary);
      if (!(await holdLayer(store, stored))) {
        // It is being removed at this moment.
        await Bun.sleep(retryMs);
        continue;
      }
      options.consulted?.hold(stored.path);
      ready.push(stored);
      break;
    }
  }
  return ready;
}

/** The layers that show, and where one of them implies directories that another describes, one that says how they are meant. */
async function withJoint(store: ImageStore, all: readonly StoredLayer[], unpacking: Unpacking) {
  const { owners, space, join, consulted } = unpacking;
  const layers = visibleLayers(all.map((layer) => ({ ...layer, hidesAll: layer.summary.hidesAll })));
  if (layers.slice(1).every(({ summary }) => summary.implied.length === 0)) return layers;
  const path = jointPath(
    space,
    layers.map(({ diffId }) => diffId),
  );
  for (;;) {
    const { makeJoint } = await import("./layers/joint-layer.ts");
    const stored = readStored(path, "joint", store.host);
    if (stored === undefined) consulted?.otherwise();
    const joint = stored ?? (await makeJoint(store, path, layers, { space, owners: owners(), join }));
    if (joint !== undefined && (await holdLayer(store, joint))) {
      consulted?.hold(joint.path);
      return joint.summary.entries === 0 ? layers : [...layers, joint];
    }
    await Bun.sleep(retryMs);
  }
}

async function unpackMissing(
  store: ImageStore,
  layer: LayerDescriptor,
  index: number,
  count: number,
  { unpack, policy, say, space, consulted }: Unpacking,
): Promise<StoredLayer> {
  consulted?.otherwise();
  const { unpackLayer } = await import("./layers/unpack-layer.ts");
  const which = `layer ${index + 1} of ${count}`;
  say(`unpacking ${which}`);
  const waiting = () => say(`waiting for another process that unpacks ${which}`);
  return unpackLayer(store, layer, { unpack, policy, space, waiting });
}

interface Readied {
  readonly space: LayerSpace;
  readonly layers: readonly StoredLayer[] | undefined;
  readonly user: ImageUser | undefined;
  readonly consulted: Consulted | undefined;
}

async function readyImage(
  store: ImageStore,
  wish: ImageWish,
  { digest, config, layers }: StoredImage,
  { space, layers: unpacked, user, consulted }: Readied,
): Promise<ReadyImage> {
  const planned = layers.map(({ diffId }) => ({
    diffId,
    tree: `${layerPath(space, diffId)}/${treeName}`,
    hidesAll: false,
  }));
  const trees = unpacked?.map(({ diffId, tree, summary }) => ({ diffId, tree, hidesAll: summary.hidesAll })) ?? planned;
  const wanted = wish.ids === undefined ? (wish.user ?? config.user) : undefined;
  return {
    reference: wish.reference,
    digest,
    layers: visibleLayers(trees).map(({ diffId, tree }) => ({ name: diffId, tree })),
    env: config.env,
    workingDir: config.workingDir === "/" ? undefined : config.workingDir,
    volumes: config.volumes,
    user: user ?? (await userOf(store, wanted, unpacked && trees, consulted)),
    stopSignal: stopSignal(config.stopSignal),
    entrypoint: config.entrypoint,
    cmd: config.cmd,
  };
}

/** Without unpacked layers there are no accounts to look into: a name is not known then. */
async function userOf(
  store: ImageStore,
  user: string | undefined,
  trees: readonly { readonly tree: string; readonly hidesAll: boolean }[] | undefined,
  consulted: Consulted | undefined,
): Promise<ImageUser> {
  if (user === undefined || trees === undefined) return findUser(undefined, () => undefined);
  const stack = new StackedLayers(await store.host.trees(), trees);
  try {
    return findUser(user, (path) => {
      consulted?.otherwise();
      const bytes = stack.readFile(path, accountsBytes);
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    });
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    return refuse(
      "invalid_image",
      `the image's accounts can't be read: ${error.step} ${error.path}: ${errnoName(error.errno)}`,
    );
  } finally {
    stack.close();
  }
}
