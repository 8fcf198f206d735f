/** Many at once, and some of them killed. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { doubleImage, startDouble } from "../support/double-registry.ts";
import { patient } from "../support/identity.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { fillRegistry } from "../support/test-images.ts";
import { expectConsistent, imageCaller, jsonLines, leftovers, names } from "./store.ts";

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
  await fillRegistry(registry.host, ["layered", "busybox", "zstd"]);
}, patient(60_000));
afterAll(() => registry.stop());

const ref = (tag: string) => `${registry.host}/test/${tag}:1`;

describe("pulls of one image at the same time", () => {
  test("fetch each of its blobs once", async () => {
    const caller = imageCaller();
    const before = registry.requests().length;
    const pulls = Array.from({ length: 8 }, () => caller.lines("pull", ref("layered")));
    for (const { ended, events } of await Promise.all(pulls)) {
      expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
      expect(events.at(-1)).toMatchObject({ event: "done" });
    }
    const blobs = registry
      .requests()
      .slice(before)
      .filter((request) => /^GET \S+\/blobs\//.test(request));
    expect(blobs.length).toBeGreaterThan(8);
    expect([...new Set(blobs)].sort()).toEqual([...blobs].sort());
    expect(expectConsistent(caller.root).references).toEqual([ref("layered")]);
    expect(leftovers(caller.root)).toEqual([]);
  });

  test("of which one is slow: the others say that they wait, and take what it brings", async () => {
    let release = () => {};
    const held = new Promise<void>((go) => {
      release = go;
    });
    const image = doubleImage();
    const { startRawServer } = await import("../support/raw-server.ts");
    const inner = startDouble(image);
    const server = startRawServer(async ({ method, path }) => {
      if (path.endsWith(image.layer)) await held;
      const answer = await fetch(`http://${inner.host}${path}`, { method });
      const headers = { "content-type": answer.headers.get("content-type") ?? "" };
      return { status: answer.status, headers, body: new Uint8Array(await answer.arrayBuffer()) };
    });
    const caller = imageCaller();
    const children = [1, 2, 3].map(() => caller.begin("pull", "--json", `${server.host}/double:1`));
    // All have asked for the manifest, and one of them for the layer.
    const asked = (part: string) => server.requests.filter(({ path }) => path.includes(part)).length;
    for (const end = performance.now() + patient(20_000); asked("manifests") < 3 || asked(image.layer) < 1; ) {
      expect(performance.now()).toBeLessThan(end);
      await Bun.sleep(20);
    }
    await Bun.sleep(300);
    release();
    const outputs = await Promise.all(children.map(({ stdout }) => stdout.text()));
    await Promise.all(children.map(({ exited }) => exited));
    expect(children.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(asked(image.layer)).toBe(1);
    const states = outputs
      .flatMap(jsonLines)
      .filter(({ event }) => event === "layer")
      .map(({ state }) => state);
    expect(states.filter((state) => state === "downloading").length).toBeGreaterThanOrEqual(1);
    expect(states.filter((state) => state === "waiting").length).toBeGreaterThanOrEqual(1);
    inner.stop();
    server.stop();
  });

  test("of several images into one store, with prunes in between, lose nothing", async () => {
    const caller = imageCaller();
    const tags = ["layered", "busybox", "zstd"];
    const pulls = tags.map((tag) => caller.image("pull", ref(tag)));
    const prunes = Array.from({ length: 4 }, () => caller.image("prune"));
    for (const { exitCode, stderr } of await Promise.all([...pulls, ...prunes])) {
      expect([exitCode, stderr.replace(/^rauha: pulling.*\n/gm, "")]).toEqual([0, ""]);
    }
    expect(expectConsistent(caller.root).references.sort()).toEqual(tags.map(ref).sort());
    for (const tag of tags) expect((await caller.image("inspect", ref(tag))).exitCode).toBe(0);
  });

  test("and removals of the same image leave it whole or gone", async () => {
    const caller = imageCaller();
    await caller.image("pull", ref("busybox"));
    for (let round = 0; round < 4; round++) {
      const [pulled] = await Promise.all([caller.image("pull", ref("busybox")), caller.image("rm", ref("busybox"))]);
      expect(pulled.exitCode).toBe(0);
      const { references } = expectConsistent(caller.root);
      expect((await caller.image("inspect", ref("busybox"))).exitCode).toBe(references.length === 0 ? 125 : 0);
      await caller.image("pull", ref("busybox"));
    }
  });
});

describe("a pull that is killed", () => {
  test("at any moment leaves a consistent store, and the next one finishes", async () => {
    const caller = imageCaller();
    for (let round = 0; round < 24; round++) {
      const child = caller.begin("pull", ref("layered"));
      // From before the first request to about the end: a pull of this takes some 100 ms.
      await Bun.sleep(round * 6);
      child.kill("SIGKILL");
      await child.exited;
      const { references, blobs } = expectConsistent(caller.root);
      if (references.length > 0 || blobs.length > 8) await caller.image("prune", "--all");
    }
    const { ended, events } = await caller.lines("pull", ref("layered"));
    expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
    expect(events.at(-1)).toMatchObject({ event: "done" });
    expect(expectConsistent(caller.root).references).toEqual([ref("layered")]);
    expect(leftovers(caller.root)).toEqual([]);
  });

  test("in the middle of a layer leaves a half that the next one takes up, and that a pull of another image sweeps", async () => {
    const image = doubleImage();
    const server = startDouble(image, ({ path }, count, sound) =>
      path.endsWith(image.layer) && count === 1 ? { ...sound, bytes: 200_000, after: "stall" } : undefined,
    );
    const caller = imageCaller();
    const half = async () => {
      const child = caller.begin("pull", server.reference);
      const partial = join(caller.root, "work/blobs", `${image.layer.replace(":", "-")}.partial`);
      for (
        const end = performance.now() + patient(20_000);
        (Bun.file(partial).size ?? 0) < 200_000;
        await Bun.sleep(10)
      ) {
        expect(performance.now()).toBeLessThan(end);
      }
      child.kill("SIGKILL");
      await child.exited;
    };
    await half();
    expect(leftovers(caller.root)).toHaveLength(3);
    expect((await caller.image("pull", server.reference)).exitCode).toBe(0);
    const ranges = server.requests
      .filter(({ path }) => path.endsWith(image.layer))
      .map(({ headers }) => headers["range"]);
    expect(ranges).toEqual([undefined, "bytes=200000-"]);
    expect(leftovers(caller.root)).toEqual([]);
    server.stop();
  });

  test("leaves what a pull of another image sweeps, but not what a living one is at", async () => {
    const image = doubleImage();
    const server = startDouble(image, ({ path }, _, sound) =>
      path.endsWith(image.layer) ? { ...sound, bytes: 200_000, after: "stall" } : undefined,
    );
    const caller = imageCaller();
    const partial = join(caller.root, "work/blobs", `${image.layer.replace(":", "-")}.partial`);
    const child = caller.begin("pull", server.reference);
    for (
      const end = performance.now() + patient(20_000);
      (Bun.file(partial).size ?? 0) < 200_000;
      await Bun.sleep(10)
    ) {
      expect(performance.now()).toBeLessThan(end);
    }
    await caller.image("pull", ref("busybox"));
    await caller.image("prune");
    expect(Bun.file(partial).size).toBe(200_000);
    const kept = expectConsistent(caller.root).blobs;
    expect(kept).toContain(image.config);
    child.kill("SIGKILL");
    await child.exited;
    await caller.image("pull", ref("zstd"));
    expect(leftovers(caller.root).filter((name) => name.startsWith("blobs/"))).toEqual([]);
    await caller.image("prune");
    expect(expectConsistent(caller.root).blobs).not.toContain(image.config);
    expect(leftovers(caller.root)).toEqual([]);
    server.stop();
  });
});

test("a temporary index of a killed writer is swept, and no store is trusted that is damaged", async () => {
  const caller = imageCaller();
  await caller.image("pull", ref("busybox"));
  writeFileSync(join(caller.root, "index.json.new-1-x"), "{");
  await caller.image("prune");
  expect(names(caller.root)).not.toContain("index.json.new-1-x");
  const [digest = ""] = expectConsistent(caller.root).blobs.filter(
    (blob) => Bun.file(join(caller.root, "blobs", blob.replace(":", "/"))).size < 2000,
  );
  writeFileSync(join(caller.root, "blobs", digest.replace(":", "/")), "{}");
  const { exitCode, stderr } = await caller.image("inspect", ref("busybox"));
  expect(exitCode).toBe(125);
  expect(stderr).toContain("damaged");
  expect((await caller.image("pull", ref("busybox"))).exitCode).toBe(0);
  expect((await caller.image("inspect", ref("busybox"))).exitCode).toBe(0);
});

test("a store that can't be written is a matter of permission, and says how to have another", async () => {
  // Even root can't make a folder in what is a file, or below /proc.
  for (const root of ["/proc/rauha-store", "/dev/null/store"]) {
    const { ended } = await imageCaller({ root }).lines("pull", ref("busybox"));
    expect(ended.exitCode).toBe(125);
    expect(ended.stderr).toContain("can't be written");
  }
});
