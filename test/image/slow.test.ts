/** Transfers that never stall and never end. The minute that it takes to see that is shorter here. */
import { afterEach, expect, test } from "bun:test";
import { join } from "node:path";
import { ImageError } from "../../src/image/image-error.ts";
import { openStore } from "../../src/image/open-store.ts";
import { pullImage } from "../../src/image/pull.ts";
import { defaultConfig } from "../../src/image/registry/registry-config.ts";
import type { PullEvent } from "../../src/image/types.ts";
import { linuxBackend } from "../../src/linux/backend.ts";
import { doubleImage, type Fault, startDouble } from "../support/double-registry.ts";
import { makeFolder } from "../support/folders.ts";
import { expectConsistent, shippedTask } from "./store.ts";

const servers: { stop(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.stop();
});

/** Pulls in this process, with at least 100 KB in 300 ms for everything that is sent. */
async function pull(fault: Fault) {
  const server = startDouble(doubleImage(), fault);
  servers.push(server);
  const home = makeFolder("home");
  const store = openStore({ root: join(home, "store"), host: linuxBackend });
  const retries: Extract<PullEvent, { event: "retry" }>[] = [];
  const outcome = await pullImage(store, server.reference, {
    policy: shippedTask,
    config: { ...defaultConfig, retries: 2, pace: { bytes: 100_000, ms: 300 } },
    env: { HOME: home },
    progress: (event) => void (event.event === "retry" && retries.push(event)),
  }).catch((error: unknown) => {
    if (error instanceof ImageError) return error.diagnostic;
    throw error;
  });
  const asked = server.requests.filter(({ path }) => path.endsWith(server.image.layer));
  return { outcome, retries, store, ranges: asked.map(({ headers }) => headers["range"]), image: server.image };
}

const drip = { bytes: 10, everyMs: 20 };
const ofLayer = (path: string) => path.includes("/blobs/");

test("a layer that drips is ended, and goes on from there where the next try is faster", async () => {
  const { outcome, retries, ranges, store, image } = await pull(({ path }, count, sound) =>
    ofLayer(path) && count === 1 && sound.body?.length === 300_000 ? { ...sound, drip } : undefined,
  );
  expect(outcome).toMatchObject({ digest: image.digest });
  expect(retries.map(({ reason }) => reason)).toEqual([expect.stringMatching(/ stalls: it sent \d+ bytes in /)]);
  expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
  expect(expectConsistent(store.root).references).toHaveLength(1);
});

test("one that always drips is reported after the retries, although each brought a little", async () => {
  const { outcome, retries, ranges, store } = await pull(({ path }, _, sound) =>
    ofLayer(path) && Number(sound.body?.length) > 10_000 ? { ...sound, drip } : undefined,
  );
  expect(outcome).toMatchObject({ code: "unreachable", message: expect.stringContaining("stalls: it sent") });
  expect(outcome).toMatchObject({ hint: expect.stringContaining("mirror") });
  expect(retries).toHaveLength(2);
  expect(ranges).toHaveLength(3);
  expect(new Set(ranges).size).toBe(3);
  expect(expectConsistent(store.root).references).toEqual([]);
});

test("a manifest that drips is no different", async () => {
  const { outcome, retries } = await pull(({ path, method }, _, sound) =>
    path.includes("/manifests/") && method === "GET" ? { ...sound, drip } : undefined,
  );
  expect(outcome).toMatchObject({ code: "unreachable", message: expect.stringContaining("stalls: it sent") });
  expect(retries.length).toBeGreaterThan(0);
});

test("the neighbour: a small answer, and one in pieces that come fast enough, are never too slow", async () => {
  const { outcome, retries, image } = await pull(({ path }, _, sound) =>
    ofLayer(path) ? { ...sound, drip: { bytes: 60_000, everyMs: 5 } } : undefined,
  );
  expect(outcome).toMatchObject({ digest: image.digest });
  expect(retries).toEqual([]);
});
