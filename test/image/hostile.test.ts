/** Hostile layers on their whole way, from the store to the refusal: nothing outside the layer changes, and no part of it stays. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { makeFolder } from "../support/folders.ts";
import { isRoot, patient } from "../support/identity.ts";
import { fingerprint } from "../support/tree.ts";
import { hostileLayers } from "./hostile-layers.ts";
import type { BuiltLayer } from "./image-builder.ts";
import { tarOf } from "./tar-builder.ts";
import { testStore } from "./zone-store.ts";

const good: BuiltLayer = { archive: tarOf([{ name: "good", content: "fine\n" }]) };
const beside = makeFolder("beside");
const untouched = fingerprint(beside);

// One store for all: the good layer is unpacked once, and what one hostile layer left would show in the cases after it, too.
const store = testStore();
let hostile = 0;

async function refusalOf(layer: BuiltLayer) {
  const name = `hostile-${hostile++}`;
  await store.add(name, { layers: [good, layer] });
  const { result, exitCode } = await store.run(name, ["/good"]);
  expect([exitCode, result.status, result.error?.stage]).toEqual([125, "runtime_error", "image"]);
  // The good layer stays for other images; of the other there is nothing, not even a lock.
  expect(store.layers()).toHaveLength(1);
  expect(store.work()).toEqual([]);
  expect(fingerprint(beside)).toEqual(untouched);
  expect(readdirSync("/tmp").filter((name) => name.includes("rauha-victim"))).toEqual([]);
  return result.error;
}

describe("a hostile layer is refused, and leaves nothing", () => {
  test.each(hostileLayers)(
    "$trick",
    async ({ archive, entry, reason }) => {
      const error = await refusalOf({ archive });
      expect(error?.code).toBe("invalid_image");
      expect(error?.message).toMatch(reason);
      if (entry !== undefined && /^[\x20-\x7e]{1,100}$/.test(entry))
        expect(error?.message).toContain(JSON.stringify(entry));
    },
    patient(30_000),
  );
});

describe("an owner that no zone has", () => {
  const owned = (uid: number) => ({ archive: tarOf([{ name: "owned", content: "x", pax: { uid: String(uid) } }]) });

  test("is refused as root, with what helps; for an ordinary user all is his", async () => {
    await store.add("owner-in", { layers: [owned(65_535)] });
    await store.add("owner-out", { layers: [owned(65_536)] });
    const taken = expect.objectContaining({ code: "command_not_found" });
    expect((await store.run("owner-in", ["/none"])).result.error).toEqual(taken);
    const { error } = (await store.run("owner-out", ["/none"])).result;
    await store.rauha(["image", "rm", "owner-in", "owner-out"]);
    if (!isRoot) return expect(error).toEqual(taken);
    expect(error?.message).toContain('"owned": its owner 65536:0 is none of a zone\'s ids, 0 to 65535');
    expect(error?.hint).toContain("tar --owner=0 --group=0");
  });
});

describe("what is wrong with the packing", () => {
  test("content that is not what the image says it is", async () => {
    const error = await refusalOf({ ...good, archive: tarOf([{ name: "x" }]), diffId: `sha256:${"ab".repeat(32)}` });
    expect(error?.code).toBe("digest_mismatch");
    expect(error?.message).toContain(`not sha256:${"ab".repeat(32)} as the image says`);
  });

  test("a compression cut off in the middle", async () => {
    const archive = tarOf([{ name: "x", content: Buffer.from(crypto.getRandomValues(new Uint8Array(50_000))) }]);
    const packed = gzipSync(archive);
    const error = await refusalOf({ archive, packed: packed.subarray(0, packed.length / 2) });
    expect(error?.message).toMatch(/cut off|can't be decompressed/);
  });

  test("a compression that is none", async () => {
    const archive = tarOf([{ name: "x" }]);
    const error = await refusalOf({ archive, packed: Buffer.from("this is no gzip at all") });
    expect(error?.message).toMatch(/can't be decompressed \(gzip\)/);
  });

  test(
    "a bomb: 300 MB of zeros in 300 KB",
    async () => {
      const archive = tarOf([{ name: "zeros", content: new Uint8Array(300 << 20) }]);
      const error = await refusalOf({ archive, packed: gzipSync(archive, { level: 9 }) });
      expect(error?.message).toContain("300 times its packed size: a bomb");
    },
    patient(60_000),
  );
});

test("a layer whose own program beats every check could still write nowhere else: the zone has one writable directory", async () => {
  const store = testStore();
  await store.add("plain", { layers: [good] });
  const { result } = await store.run("plain", ["/good"]);
  expect(result.error?.code).toBe("not_executable");
  expect(store.layers()).toHaveLength(1);
  const { stdout } = await store.rauha(["image", "ls", "--json"]);
  expect(stdout).toContain("plain");
  expect(readdirSync(join(store.root, "layers"))).toEqual(expect.arrayContaining(["sha256", "work"]));
});
