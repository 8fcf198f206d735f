/** What a policy says an image may hold: what is over is refused, before it is fetched or as it is unpacked, and what was unpacked before too. */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { doubleImage, startDouble } from "../support/double-registry.ts";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { patient } from "../support/identity.ts";
import { imageCaller, names } from "./store.ts";
import { tarOf } from "./tar-builder.ts";
import { testStore } from "./zone-store.ts";

const folder = makeFolder("policies");
function policy(section: string): string {
  const name = `p${Bun.hash(section)}.toml`;
  writeFiles(folder, { [name]: `extends = "task"\n[image]\n${section}\n` });
  return join(folder, name);
}

const store = testStore();
const files = (count: number, bytes: number) =>
  tarOf(Array.from({ length: count }, (_, index) => ({ name: `file-${index}`, content: "x".repeat(bytes) })));
const kibi = 1024;
const mebi = kibi ** 2;
await store.add("four", { layers: [{ archive: files(4, 10) }] });
await store.add("large", { layers: [{ archive: files(1, 2 * mebi) }] });
await store.add("much", { layers: [{ archive: files(9, 200 * kibi) }] });
/** Above 256Mi, where the ratio counts. */
const zeros = tarOf([{ name: "zeros", content: new Uint8Array(257 * mebi) }]);
const packedZeros = gzipSync(zeros, { level: 1 });
const hole = tarOf([
  { name: "hole", content: "\0".repeat(512), pax: { "GNU.sparse.size": String(mebi * 3), "GNU.sparse.map": "0,512" } },
]);
await store.add("hole", { layers: [{ archive: hole }] });

/** A run that finds no program: the image holds none. So it is refused for its layers, or not at all. */
async function refusalUnder(image: string, section: string) {
  const file = policy(section);
  const { result } = await store.run(image, ["/none"], ["--policy", file]);
  return { ...result.error, file };
}
const taken = expect.objectContaining({ code: "command_not_found" });

describe("an image that is unpacked under a policy", () => {
  test.each([
    ["four", "layer_entries = 3", "layer_entries = 4", 'at "file-3": refused: more than 3 entries'],
    ["large", 'layer_size = "1Mi"', 'layer_size = "3Mi"', 'at "file-0": refused: larger than 1Mi'],
    // No single file is over: the entry is the one at which the sum was.
    ["much", 'layer_size = "1Mi"', 'layer_size = "2Mi"', /at "file-[45]": refused: larger than 1Mi/],
    ["hole", 'layer_size = "2Mi"', 'layer_size = "3Mi"', 'at "hole": refused: larger than 2Mi'],
  ])("%s: %s refuses it with layer, entry and key, %s takes it", async (image, strict, lax, words) => {
    const { code, message, stage, origin, hint, file } = await refusalUnder(image, strict);
    expect([code, stage]).toEqual(["invalid_image", "image"]);
    expect(message).toMatch(/^layer sha256:[0-9a-f]{64} at /);
    expect(message).toMatch(words);
    const key = strict.split(" ")[0];
    expect(origin).toBe(`${file}:3:1 image.${key}`);
    expect(hint).toContain(`image.${key}`);
    expect(store.work()).toEqual([]);
    expect(await refusalUnder(image, lax)).toEqual(taken);
    // It lies unpacked now.
    const later = await refusalUnder(image, strict);
    expect([later.code, later.origin]).toEqual(["invalid_image", origin ?? ""]);
    expect(later.message).toMatch(
      /^layer sha256:[0-9a-f]{64}, unpacked under another policy: refused: (more|larger) than /,
    );
    expect((await store.run(image, ["/none"])).result.error).toEqual(taken);
  });

  test(
    "a layer that grows more than the policy lets it is refused, and not by one that lets it",
    async () => {
      await store.add("zeros", { layers: [{ archive: zeros, packed: packedZeros }] });
      const refused = await refusalUnder("zeros", "layer_ratio = 2");
      expect(refused.message).toContain('at "zeros": refused: more than 2 times its packed size: a bomb');
      expect(refused.origin).toContain("image.layer_ratio");
      expect(await refusalUnder("zeros", "layer_ratio = 2000")).toEqual(taken);
      expect((await refusalUnder("zeros", "layer_ratio = 2")).message).toContain("unpacked under another policy");
    },
    patient(60_000),
  );
});

describe("an image that is pulled", () => {
  const registry = startDouble(doubleImage(2 * mebi));
  afterAll(() => registry.stop());
  const blobs = () => registry.requests.filter(({ path }) => path.includes(registry.image.layer)).length;

  test("is not fetched when it is too large as it is packed", async () => {
    const caller = imageCaller();
    const file = policy('layer_size = "1Mi"');
    const { ended, events } = await caller.lines("pull", "--policy", file, registry.reference);
    expect(ended.exitCode).toBe(125);
    expect(events.at(-1)).toMatchObject({
      event: "failed",
      error: { code: "invalid_image", message: `layer ${registry.image.layer}, packed: refused: larger than 1Mi` },
    });
    expect(blobs()).toBe(0);
    const run = await testStore().rauha(["sandbox", "--image", registry.reference, "--policy", file, "--", "/none"], {
      env: caller.env,
    });
    expect(run.stdout).toContain('"code":"invalid_image"');
    expect(blobs()).toBe(0);
    expect((await caller.image("pull", "--policy", policy('layer_size = "2Mi"'), registry.reference)).exitCode).toBe(0);
    expect(blobs()).toBe(1);
  });

  test("is not asked for when the policy is wrong", async () => {
    const caller = imageCaller();
    const before = registry.requests.length;
    const pulled = await caller.image("pull", "--policy", policy("layer_sise = 1"), registry.reference);
    expect([pulled.exitCode, pulled.stderr]).toEqual([125, expect.stringContaining('did you mean "layer_size"?')]);
    const args = ["sandbox", "--json", "--image", registry.reference, "--policy", "tsk", "--", "x"];
    const run = await testStore().rauha(args, { env: caller.env });
    expect(JSON.parse(run.stdout).error).toMatchObject({ code: "not_found", hint: expect.stringContaining("task") });
    expect(registry.requests.length).toBe(before);
  });
});

describe("an image that is imported", () => {
  test.each([
    ["packed", gzipSync(files(1, 2 * mebi))],
    ["plain", files(1, 2 * mebi)],
  ])("%s is refused over the policy's limit, and leaves nothing; else it is taken", async (_, bytes) => {
    const { root, image } = imageCaller();
    const file = join(makeFolder("archive"), "rootfs");
    await Bun.write(file, bytes);
    const refused = await image("import", "--policy", policy('layer_size = "1Mi"'), file, "tool:1");
    expect([refused.exitCode, refused.stderr]).toEqual([125, expect.stringContaining("refused: larger than 1Mi")]);
    expect(refused.stderr).toContain("image.layer_size");
    expect(names(root).filter((name) => /^blobs\/sha256\/./.test(name))).toEqual([]);
    expect((await image("import", "--policy", policy('layer_size = "3Mi"'), file, "tool:1")).exitCode).toBe(0);
  });

  test(
    "what grows without end is left off before it fills the disk",
    async () => {
      const { image } = imageCaller();
      const file = join(makeFolder("archive"), "bomb");
      await Bun.write(file, packedZeros);
      const refused = await image("import", "--policy", policy("layer_ratio = 2"), file, "tool:1");
      expect([refused.exitCode, refused.stderr]).toEqual([125, expect.stringContaining("a bomb")]);
      expect((await image("import", "--policy", policy("layer_ratio = 2000"), file, "tool:1")).exitCode).toBe(0);
    },
    patient(60_000),
  );
});
