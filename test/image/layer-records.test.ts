/** What a layer's record says: layers of another Rauha are unpacked anew, damaged ones are told and removed, neither is in the way. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { patient } from "../support/identity.ts";
import { start } from "../support/rauha.ts";
import { type TarPart, tarOf } from "./tar-builder.ts";
import { type TestStore, testStore } from "./zone-store.ts";

const shell: TarPart[] = [
  { name: "bin", type: "5", mode: 0o755 },
  { name: "bin/busybox", mode: 0o755, content: readFileSync("/bin/busybox") },
  ...["sh", "sleep", "true", "cat", "echo"].map((name) => ({ name: `bin/${name}`, type: "2", link: "busybox" })),
  { name: "word", content: "peace" },
];

/** A store with one image of one layer, unpacked, and the path of its record. */
async function unpacked(): Promise<{ readonly store: TestStore; readonly record: string }> {
  const store = testStore();
  await store.add("one", { layers: [{ archive: tarOf(shell) }] });
  expect((await store.run("one", ["true"])).exitCode).toBe(0);
  return { store, record: join(store.root, "layers/sha256", store.layers()[0] ?? "", "layer.json") };
}

/** As they were written before records had a version, and before what the limits of `[image]` need was counted. */
const old = JSON.stringify({ entries: 7, bytes: 1, implied: [], hidesAll: false });
const later = JSON.stringify({ version: 999, all: "otherwise" });

describe.each([
  ["before there were versions", old],
  ["by a later Rauha", later],
])("a record written %s", (_what, text) => {
  test("the layer counts as not unpacked: a run unpacks it again, and nothing stays of the old one", async () => {
    const { store, record } = await unpacked();
    writeFileSync(record, text);
    const { result, stderr } = await store.run("one", ["cat", "/word"]);
    expect(result.stdout).toBe("peace");
    expect(stderr).toContain("unpacking layer 1 of 1");
    expect(JSON.parse(readFileSync(record, "utf8")).version).toBe(1);
    expect([store.layers().length, store.work()]).toEqual([1, []]);
    // Once: the next run finds it.
    expect((await store.run("one", ["true"])).stderr).not.toContain("unpacking");
  });

  test.each(["rm one", "prune", "prune --all"])("image %s removes it", async (words) => {
    const { store, record } = await unpacked();
    writeFileSync(record, text);
    const { exitCode, stderr } = await store.rauha(["image", ...words.split(" ")]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect([store.layers(), store.work()]).toEqual([[], []]);
  });
});

test(
  "a zone keeps the old layer that it has mounted, beside the new one, until it ends",
  async () => {
    const { store, record } = await unpacked();
    const env = { RAUHA_STORE: store.root };
    const child = start(["sandbox", "--image", "one", "--stream", "--", "sh", "-c", "echo here; read go; cat /word"], {
      env,
      stdin: "pipe",
    });
    const reader = child.stdout.getReader();
    const said = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await said()).toBe("here\n");
    writeFileSync(record, old);
    expect((await store.run("one", ["cat", "/word"])).result.stdout).toBe("peace");
    expect((await store.rauha(["image", "prune"])).exitCode).toBe(0);
    expect([store.layers().length, store.work().length]).toEqual([1, 1]);
    const stdin = child.stdin as unknown as Bun.FileSink;
    stdin.write("go\n");
    stdin.end();
    expect(await said()).toContain("peace");
    await child.exited;
    expect((await store.rauha(["image", "prune"])).exitCode).toBe(0);
    expect([store.layers().length, store.work()]).toEqual([1, []]);
  },
  patient(30_000),
);

const damages: readonly (readonly [string, (record: string) => void])[] = [
  ["cut off", (record) => writeFileSync(record, '{"version":1,"entries":')],
  ["of this version, with a mistake", (record) => writeFileSync(record, '{"version":1,"entries":-1}')],
  ["empty", (record) => writeFileSync(record, "")],
];

describe.each(damages)("a record that is %s", (_what, damage) => {
  test("a run refuses the layer and says what helps, and that helps", async () => {
    const { store, record } = await unpacked();
    damage(record);
    const refused = await store.run("one", ["true"]);
    expect([refused.exitCode, refused.result.error?.code]).toEqual([125, "setup_failed"]);
    expect(refused.result.error?.message).toContain(`${record} is damaged`);
    expect(refused.result.error?.hint).toContain("rauha image prune");
    const pruned = await store.rauha(["image", "prune", "--json"]);
    expect([pruned.exitCode, store.layers(), store.work()]).toEqual([0, [], []]);
    expect(JSON.parse(pruned.stdout)).toMatchObject({ unpacked_layers: 1 });
    expect(JSON.parse(pruned.stdout).damaged[0]).toContain(store.root);
    expect(pruned.stderr).toContain("removed a damaged layer");
    expect((await store.run("one", ["cat", "/word"])).result.stdout).toBe("peace");
  });

  test("image rm removes it, and says so", async () => {
    const { store, record } = await unpacked();
    damage(record);
    const { exitCode, stderr } = await store.rauha(["image", "rm", "one"]);
    expect([exitCode, store.layers(), store.work()]).toEqual([0, [], []]);
    expect(stderr).toContain("removed a damaged layer");
  });
});

test("a layer without a record is unpacked again", async () => {
  const { store, record } = await unpacked();
  rmSync(record);
  expect((await store.run("one", ["cat", "/word"])).result.stdout).toBe("peace");
  expect([store.layers().length, store.work()]).toEqual([1, []]);
});

test("directories joined from layers are joined again where their record is another version's", async () => {
  const store = testStore();
  const below = tarOf([...shell, { name: "kept", type: "5", mode: 0o711 }]);
  await store.add("two", { layers: [{ archive: below }, { archive: tarOf([{ name: "kept/f", content: "x" }]) }] });
  const mode = async () => (await store.run("two", ["busybox", "stat", "-c", "%a", "/kept"])).result.stdout;
  expect(await mode()).toBe("711\n");
  const joints = () => readdirSync(join(store.root, "layers/joint"));
  const record = join(store.root, "layers/joint", joints()[0] ?? "", "layer.json");
  writeFileSync(record, old);
  expect(await mode()).toBe("711\n");
  expect([joints().length, JSON.parse(readFileSync(record, "utf8")).version]).toEqual([1, 1]);
});

test(
  "runs and prunes at once over an outdated layer: all of them succeed",
  async () => {
    const { store, record } = await unpacked();
    for (let round = 0; round < 6; round++) {
      writeFileSync(record, old);
      const runs = Array.from({ length: 3 }, () => store.run("one", ["cat", "/word"]));
      const prunes = Array.from({ length: 3 }, () => store.rauha(["image", "prune"]));
      expect((await Promise.all(runs)).map(({ result }) => result.stdout)).toEqual(["peace", "peace", "peace"]);
      for (const { exitCode, stderr } of await Promise.all(prunes)) expect([exitCode, stderr]).toEqual([0, ""]);
      // The last prune may have taken what was between two runs.
      await store.run("one", ["true"]);
    }
    expect((await store.rauha(["image", "prune"])).exitCode).toBe(0);
    expect([store.layers().length, store.work()]).toEqual([1, []]);
  },
  patient(60_000),
);
