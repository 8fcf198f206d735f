/** Images from a real registry: pulled, listed, inspected, read by others, removed. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { patient } from "../support/identity.ts";
import { parseResult, RAUHA, rauha } from "../support/rauha.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { atTerminal } from "../support/terminal.ts";
import { fillRegistry, testImages, testLayout } from "../support/test-images.ts";
import { tool } from "../support/tools.ts";
import { diffIdsOf, expectSame, listByUmoci, listLayers } from "./compare-trees.ts";
import { codeOf, expectConsistent, imageCaller, leftovers } from "./store.ts";

let registry: Registry;
const everything = [...testImages, "docker"];

beforeAll(async () => {
  registry = await startRegistry();
  await fillRegistry(registry.host, everything);
}, patient(60_000));

afterAll(() => registry.stop());

const ref = (tag: string) => `${registry.host}/test/${tag}:1`;

describe.each(everything)("the image %s", (tag) => {
  test("is pulled whole, named, and verified; then it is there without the registry", async () => {
    const caller = imageCaller();
    const { ended, events } = await caller.lines("pull", ref(tag));
    expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
    expect(events.at(0)).toMatchObject({ event: "resolved", reference: ref(tag), platform: "linux/amd64" });
    expect(events.at(-1)).toMatchObject({ event: "done", reference: ref(tag), up_to_date: false });
    const layers = new Set(events.filter(({ event }) => event === "layer").map(({ digest }) => digest));
    const verified = events.filter(({ event, state }) => event === "layer" && state === "verified");
    expect(verified.map(({ digest }) => digest).sort() as unknown[]).toEqual([...layers].sort());
    expect(expectConsistent(caller.root).references).toEqual([ref(tag)]);
    expect(leftovers(caller.root)).toEqual([]);
    // What is pulled once needs no registry: this one can't be reached.
    const offline = imageCaller({ root: caller.root, env: { HTTP_PROXY: "http://127.0.0.1:1" } });
    expect((await offline.image("inspect", ref(tag))).exitCode).toBe(0);
  });

  test("runs, offline, and what is unpacked for it is to the last bit umoci's", async () => {
    const caller = imageCaller();
    await caller.image("pull", ref(tag));
    const command = ["sandbox", "--image", ref(tag), "--pull", "never", "--", "/bin/sh", "-c", "echo it runs"];
    const result = parseResult((await rauha(command, { env: caller.env })).stdout);
    expect([result.error, result.exit_code, result.stdout]).toEqual([null, 0, "it runs\n"]);
    // umoci unpacks no zstd; the layer of those two is the one of `plain`.
    const theirs = `${await testLayout()}:${{ docker: "busybox", zstd: "plain", multi: "plain" }[tag] ?? tag}`;
    expectSame({ ours: listLayers(caller.root, diffIdsOf(theirs)), theirs: listByUmoci(theirs) });
  });

  test("is read by skopeo from the store", async () => {
    const caller = imageCaller();
    await caller.image("pull", ref(tag));
    const copy = makeFolder("copy");
    await tool(["skopeo", "copy", "-q", "--insecure-policy", `oci:${caller.root}:${ref(tag)}`, `dir:${copy}`]);
    const theirs = JSON.parse(readFileSync(join(copy, "manifest.json"), "utf8")) as { layers: { digest: string }[] };
    const { layers } = JSON.parse((await caller.image("inspect", "--json", ref(tag))).stdout);
    expect(theirs.layers.map(({ digest }) => digest)).toEqual(layers.map(({ digest }: { digest: string }) => digest));
  });
});

test("an image of docker's format keeps its digest, although the store holds it in OCI's", async () => {
  const caller = imageCaller();
  const { events } = await caller.lines("pull", ref("docker"));
  const raw = await tool(["skopeo", "inspect", "--tls-verify=false", "--raw", `docker://${ref("docker")}`]);
  expect(raw).toContain("application/vnd.docker.distribution.manifest.v2+json");
  const digest = `sha256:${new Bun.CryptoHasher("sha256").update(raw).digest("hex")}`;
  expect(events.at(-1)?.["digest"]).toBe(digest);
  expect(JSON.parse((await caller.image("inspect", "--json", ref("docker"))).stdout).digest).toBe(digest);
  expect((await caller.image("inspect", `${registry.host}/test/docker@${digest}`)).exitCode).toBe(0);
  expect((await caller.image("prune")).exitCode).toBe(0);
  expect((await caller.lines("pull", ref("docker"))).events.at(-1)).toMatchObject({ up_to_date: true });
  expect((await caller.image("rm", digest)).exitCode).toBe(0);
  expect(expectConsistent(caller.root)).toEqual({ blobs: [], references: [] });
});

test.each(["layered", "docker"])("umoci unpacks %s from the store", async (tag) => {
  const caller = imageCaller();
  await caller.image("pull", ref(tag));
  const bundle = join(makeFolder("bundle"), "b");
  await tool(["umoci", "unpack", "--rootless", "--image", `${caller.root}:${ref(tag)}`, bundle]);
  expect(readFileSync(join(bundle, "rootfs/etc/passwd"), "utf8")).toContain("app:x:1000");
  if (tag !== "layered") return;
  expect(readFileSync(join(bundle, "rootfs/data/shared"), "utf8")).toBe("written by 6\n");
  expect(statSync(join(bundle, "rootfs/gone"), { throwIfNoEntry: false })).toBeUndefined();
});

test("a second pull asks once and fetches nothing; one of another tag with the same layers fetches no layer", async () => {
  const caller = imageCaller();
  await caller.image("pull", ref("docker"));
  const before = registry.requests().length;
  const { events } = await caller.lines("pull", ref("docker"));
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ event: "done", up_to_date: true, downloaded_bytes: 0 });
  const asked = registry.requests().slice(before);
  expect(asked.filter((request) => request.includes("/test/"))).toEqual(["HEAD /v2/test/docker/manifests/1 200"]);
  await caller.image("pull", ref("layered"));
  const third = await caller.lines("pull", ref("busybox"));
  expect(third.events.filter(({ event }) => event === "layer").map(({ state }) => state)).toEqual(["present"]);
});

describe("platforms", () => {
  test("of an index, the wanted one; both side by side, this machine's first", async () => {
    const caller = imageCaller();
    const arm = await caller.lines("pull", "--platform", "linux/arm64", ref("multi"));
    expect(arm.events.at(0)).toMatchObject({ event: "resolved", platform: "linux/arm64" });
    await caller.image("pull", ref("multi"));
    const { images } = JSON.parse((await caller.image("ls", "--json")).stdout) as { images: { platform: string }[] };
    expect(images.map(({ platform }) => platform).sort()).toEqual(["linux/amd64", "linux/arm64"]);
    const index = JSON.parse(readFileSync(join(caller.root, "index.json"), "utf8"));
    expect(index.manifests[0].platform.architecture).toBe("amd64");
    const inspected = JSON.parse(
      (await caller.image("inspect", "--json", "--platform", "linux/arm64", ref("multi"))).stdout,
    );
    expect(inspected).toMatchObject({ platform: "linux/arm64" });
    expect((await caller.image("rm", "--platform", "linux/arm64", ref("multi"))).exitCode).toBe(0);
    expect(expectConsistent(caller.root).references).toEqual([ref("multi")]);
  });

  test("that an image isn't for are refused, and those that it is for named", async () => {
    const caller = imageCaller();
    for (const tag of ["multi", "plain"]) {
      const { ended, events } = await caller.lines("pull", "--platform", "linux/s390x", ref(tag));
      expect({ code: codeOf(events), exitCode: ended.exitCode }).toEqual({ code: "not_found", exitCode: 125 });
      expect(ended.stderr).toContain("linux/amd64");
    }
    expect(expectConsistent(caller.root).references).toEqual([]);
  });
});

test("by digest: of the index or of the manifest, and never asked for again", async () => {
  const caller = imageCaller();
  const { events } = await caller.lines("pull", ref("multi"));
  const manifest = String(events.at(-1)?.["digest"]);
  const raw = await tool(["skopeo", "inspect", "--tls-verify=false", "--raw", `docker://${ref("multi")}`]);
  const index = `sha256:${new Bun.CryptoHasher("sha256").update(raw).digest("hex")}`;
  const name = `${registry.host}/test/multi`;
  for (const digest of [manifest, index]) {
    expect((await caller.image("inspect", `${name}@${digest}`)).exitCode).toBe(0);
    expect((await caller.image("pull", `${name}@${digest}`)).exitCode).toBe(0);
    const before = registry.requests().length;
    expect((await caller.lines("pull", `${name}@${digest}`)).events.at(-1)).toMatchObject({ up_to_date: true });
    expect(registry.requests().slice(before)).toEqual([]);
  }
  expect(expectConsistent(caller.root).references.sort()).toEqual(
    [ref("multi"), `${name}@${manifest}`, `${name}@${index}`].sort(),
  );
});

test("a tag that moves is followed, and what the old image had goes with prune", async () => {
  const caller = imageCaller();
  const layout = await testLayout();
  const copy = (tag: string) =>
    tool([
      ...["skopeo", "copy", "-q", "--insecure-policy", "--dest-tls-verify=false"],
      ...[`oci:${layout}:${tag}`, `docker://${registry.host}/test/moving:1`],
    ]);
  await copy("plain");
  await caller.image("pull", ref("moving"));
  const before = expectConsistent(caller.root).blobs;
  await copy("busybox");
  expect((await caller.lines("pull", ref("moving"))).events.at(-1)).toMatchObject({ up_to_date: false });
  expect(expectConsistent(caller.root).references).toEqual([ref("moving")]);
  const pruned = JSON.parse((await caller.image("prune", "--json")).stdout);
  expect(pruned).toMatchObject({ schema: "rauha.image.prune/v1", removed: [], blobs: before.length });
  const after = expectConsistent(caller.root).blobs;
  expect(after.filter((digest) => before.includes(digest))).toEqual([]);
  expect((await caller.image("inspect", ref("moving"))).exitCode).toBe(0);
});

describe("inspect, ls and rm", () => {
  test("tell what the image says of itself", async () => {
    const caller = imageCaller();
    await caller.image("pull", ref("busybox"));
    const image = JSON.parse((await caller.image("inspect", "--json", ref("busybox"))).stdout);
    expect(image).toMatchObject({
      schema: "rauha.image/v1",
      reference: ref("busybox"),
      config: { cmd: ["/bin/sh"], working_dir: "/srv", user: "app", stop_signal: "SIGINT", labels: { maker: "test" } },
    });
    expect(image.config.env).toContain("GREETING=hei");
    expect(image.layers).toHaveLength(1);
    const words = await caller.image("inspect", ref("busybox"));
    expect(words.stdout).toContain("GREETING=hei");
    const list = await caller.image("ls", "--no-json");
    expect(list.stdout).toContain(ref("busybox"));
    expect(list.stdout).toContain(" MiB");
  });

  test("rm keeps the layers that another image has, and says what it freed", async () => {
    const caller = imageCaller();
    await caller.image("pull", ref("busybox"));
    await caller.image("pull", ref("layered"));
    const removed = JSON.parse((await caller.image("rm", "--json", ref("layered"))).stdout);
    expect(removed).toMatchObject({ schema: "rauha.image.rm/v1", removed: [ref("layered")] });
    expect(removed.bytes_freed).toBeGreaterThan(0);
    expect((await caller.image("inspect", ref("busybox"))).exitCode).toBe(0);
    expect(expectConsistent(caller.root).references).toEqual([ref("busybox")]);
    await caller.image("rm", ref("busybox"));
    expect(expectConsistent(caller.root)).toEqual({ blobs: [], references: [] });
  });

  test("of what isn't here change nothing and say not_found", async () => {
    const caller = imageCaller();
    await caller.image("pull", ref("busybox"));
    for (const args of [
      ["rm", ref("busybox"), "nothing"],
      ["inspect", "nothing"],
    ]) {
      const { ended, events } = await caller.lines(...args);
      expect({ code: codeOf(events), exitCode: ended.exitCode }).toEqual({ code: "not_found", exitCode: 125 });
    }
    expect(expectConsistent(caller.root).references).toEqual([ref("busybox")]);
  });

  test("prune --all empties the store", async () => {
    const caller = imageCaller();
    await caller.image("pull", ref("busybox"));
    expect((await caller.image("prune", "--all")).exitCode).toBe(0);
    expect(expectConsistent(caller.root)).toEqual({ blobs: [], references: [] });
  });
});

test("what other programs wrote into the store stays as it is, and is found by its name", async () => {
  const caller = imageCaller();
  await caller.image("pull", ref("plain"));
  const layout = await testLayout();
  await tool(["skopeo", "copy", "-q", "--insecure-policy", `oci:${layout}:busybox`, `oci:${caller.root}:theirs/box:2`]);
  const path = join(caller.root, "index.json");
  const index = JSON.parse(readFileSync(path, "utf8")) as { manifests: Record<string, unknown>[] };
  const theirs = index.manifests.find(({ annotations }) => JSON.stringify(annotations).includes("theirs"));
  Object.assign(theirs ?? {}, { artifactType: "application/x-theirs", urls: ["https://example.test/"] });
  writeFileSync(path, JSON.stringify(index));
  await caller.image("pull", ref("zstd"));
  await caller.image("prune");
  const after = JSON.parse(readFileSync(path, "utf8")) as { manifests: Record<string, unknown>[] };
  expect(after.manifests).toContainEqual(theirs ?? {});
  expect((await caller.image("inspect", "theirs/box:2")).exitCode).toBe(0);
  expect((await caller.image("rm", "theirs/box:2")).exitCode).toBe(0);
  expect(expectConsistent(caller.root).references.sort()).toEqual([ref("plain"), ref("zstd")].sort());
});

test("a run at a terminal shows the bars of a pull, and cleans them up before the task writes", async () => {
  const { env } = imageCaller();
  const command = ["sandbox", "--image", ref("busybox"), "--", "/bin/sh", "-c", "echo the task ran"];
  const { screen, end } = await atTerminal([], [RAUHA, ...command], { env });
  expect(end).toBe("exit 0");
  expect(screen).toContain(`pulling ${ref("busybox")} for linux/amd64`);
  expect(screen).toMatch(/\[=+\] \S+ MiB of \S+ MiB, 1 of 1 layer/);
  const [bars = "", rest = ""] = screen.split("unpacking layer 1 of 1");
  // The last thing before it: all lines emptied, the cursor where the first one was.
  expect(bars.replaceAll("\u001b", "ESC")).toMatch(/(ESC\[2K\r?\n)+ESC\[\d+Arauha: $/);
  expect(rest).toContain("the task ran");
  const again = await atTerminal([], [RAUHA, ...command], { env });
  expect(again.screen).not.toContain("pulling");
  expect(again.screen).not.toContain("[=");
});

test("a run whose pull fails at a terminal says why below nothing half-drawn; without a terminal there are no bars", async () => {
  const { env } = imageCaller();
  const missing = `${registry.host}/test/busybox:none`;
  const { screen, end } = await atTerminal([], [RAUHA, "sandbox", "--image", missing, "--", "true"], { env });
  expect(end).toBe("exit 125");
  expect(screen).toContain(`has no image ${missing}`);
  const { stderr } = await rauha(["sandbox", "--image", ref("plain"), "--", "/bin/sh", "-c", ":"], { env });
  expect(stderr).toContain(`rauha: pulling ${ref("plain")} for linux/amd64: 1 layers`);
  expect(stderr).not.toContain("\u001b");
});

test("a place for the store that is no absolute path is refused", async () => {
  const { exitCode, stderr } = await imageCaller({ root: "store" }).image("pull", ref("plain"));
  expect(exitCode).toBe(2);
  expect(stderr).toContain("RAUHA_STORE");
});
