/** What a run asks for: the image from the store, or from its registry first, or the reason why not. */
import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type EnsureOptions, ensureImage, isImage } from "../../src/image/ensure.ts";
import { openStore } from "../../src/image/open-store.ts";
import type { PullEvent } from "../../src/image/types.ts";
import { linuxBackend } from "../../src/linux/backend.ts";
import { doubleImage, startDouble } from "../support/double-registry.ts";
import { makeFolder } from "../support/folders.ts";
import { imageCaller, names, shippedTask } from "./store.ts";

const image = doubleImage(20_000);
const registry = startDouble(image);
afterAll(() => registry.stop());

function setting() {
  const home = makeFolder("home");
  const store = openStore({ root: join(home, "store"), host: linuxBackend });
  const events: PullEvent[] = [];
  const env = { HOME: home, PATH: process.env["PATH"] };
  const ensure = (pull: EnsureOptions["pull"], reference = registry.reference) =>
    ensureImage(store, reference, { pull, policy: shippedTask, env, progress: (event) => void events.push(event) });
  return { store, events, ensure };
}

test("never: from the store or not at all, and nothing is made or asked", async () => {
  const { store, ensure } = setting();
  const before = registry.requests.length;
  const outcome = await ensure("never");
  expect(isImage(outcome)).toBeFalse();
  expect(outcome).toMatchObject({ code: "not_found", hint: `rauha image pull ${registry.reference}` });
  expect(registry.requests.length).toBe(before);
  expect(names(store.root)).toEqual([]);
});

test("missing: asked once, then never again", async () => {
  const { store, events, ensure } = setting();
  const first = await ensure("missing");
  expect(first).toMatchObject({ reference: registry.reference, digest: image.digest, config: { cmd: ["sh"] } });
  expect(events.at(-1)).toMatchObject({ event: "done" });
  const before = registry.requests.length;
  const second = await ensure("missing");
  expect(second).toEqual(first);
  expect(await ensure("never")).toEqual(first);
  expect(registry.requests.length).toBe(before);
  expect(isImage(second) && second.layers.map(({ digest }) => store.blobPath(digest))).toEqual([
    join(store.root, "blobs", image.layer.replace(":", "/")),
  ]);
});

test("always: asked each time, and fetched when it changed", async () => {
  const { ensure, events } = setting();
  await ensure("always");
  expect(events.at(-1)).toMatchObject({ event: "done", up_to_date: false });
  await ensure("always");
  expect(events.at(-1)).toMatchObject({ event: "done", up_to_date: true });
});

test("what the disk damaged is fetched anew where that is allowed, and else refused", async () => {
  const { store, ensure } = setting();
  const first = await ensure("missing");
  writeFileSync(store.blobPath(image.config), "{}");
  expect(await ensure("never")).toMatchObject({ code: "digest_mismatch" });
  expect(await ensure("missing")).toEqual(first);
});

test("what fails is data, never an exception", async () => {
  const { ensure } = setting();
  expect(await ensure("missing", "No Name")).toMatchObject({ code: "invalid_argument" });
  expect(await ensure("missing", "127.0.0.1:1/nobody")).toMatchObject({ code: "unreachable" });
});

test("a digest that is none has no path", () => {
  const { store } = setting();
  for (const digest of ["sha256:../../x", "", "sha256:", `md5:${"0".repeat(32)}`])
    expect(() => store.blobPath(digest)).toThrow();
});

test("commands that find nothing to remove make no store", async () => {
  const caller = imageCaller();
  for (const args of [["rm", "nothing"], ["prune"], ["ls"], ["inspect", "nothing"]]) await caller.image(...args);
  expect(names(caller.root)).toEqual([]);
});
