/** Images for tests, made of small trees by umoci and by hand, in one OCI layout. */
import { createHash } from "node:crypto";
import { copyFileSync, linkSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "./folders.ts";
import { isRoot } from "./identity.ts";
import { tool, toolPath } from "./tools.ts";

/** Tags of the layout. `multi` is an index for amd64 and arm64. */
export const testImages = ["busybox", "layered", "zstd", "plain", "multi"] as const;

let made: Promise<string> | undefined;

/** The folder of the layout; the same for all tests of a process. */
export function testLayout(): Promise<string> {
  made ??= makeLayout();
  return made;
}

async function makeLayout(): Promise<string> {
  const folder = makeFolder("images");
  const layout = join(folder, "layout");
  await tool(["umoci", "init", "--layout", layout]);
  await makeBusybox(folder, layout);
  await makeLayered(folder, layout);
  await makeByHand(folder, layout);
  return layout;
}

const rootless = isRoot ? [] : ["--rootless"];

async function insert(layout: string, tag: string, ...what: string[]): Promise<void> {
  await tool(["umoci", "insert", ...rootless, "--image", `${layout}:${tag}`, ...what]);
}

async function makeBusybox(folder: string, layout: string): Promise<void> {
  const root = join(folder, "busybox");
  mkdirSync(join(root, "bin"), { recursive: true });
  copyFileSync(toolPath("busybox"), join(root, "bin/busybox"));
  linkSync(join(root, "bin/busybox"), join(root, "bin/sh"));
  writeFiles(root, {
    "etc/passwd": "root:x:0:0:root:/:/bin/sh\napp:x:1000:1000::/srv:/bin/sh\n",
    "srv/": "",
    "tmp/": "",
  });
  await tool(["umoci", "new", "--image", `${layout}:busybox`]);
  await insert(layout, "busybox", root, "/");
  await tool([
    "umoci",
    "config",
    "--image",
    `${layout}:busybox`,
    ...["--config.cmd=/bin/sh", "--config.env=PATH=/bin", "--config.env=GREETING=hei", "--config.workingdir=/srv"],
    ...["--config.user=app", "--config.stopsignal=SIGINT", "--config.label=maker=test"],
  ]);
}

/** Ten layers: files that later ones replace, remove (whiteouts) and hide (an opaque directory), hard links, symlinks. */
async function makeLayered(folder: string, layout: string): Promise<void> {
  const image = "layered";
  await tool(["umoci", "tag", "--image", `${layout}:busybox`, image]);
  for (let layer = 1; layer <= 6; layer++) {
    const root = writeFiles(join(folder, `layer${layer}`), {
      [`data/own-${layer}`]: `${layer}\n`.repeat(1000 * layer),
      "data/shared": `written by ${layer}\n`,
      [`gone/${layer}`]: "x",
    });
    linkSync(join(root, `data/own-${layer}`), join(root, `data/twin-${layer}`));
    await insert(layout, image, root, "/");
  }
  await insert(layout, image, "--whiteout", "/data/own-1");
  await insert(layout, image, "--whiteout", "/gone");
  await insert(layout, image, "--opaque", writeFiles(join(folder, "opaque"), { only: "this\n" }), "/srv");
}

/** What umoci can't make: a layer packed with zstd, one not packed at all, and an index. */
async function makeByHand(folder: string, layout: string): Promise<void> {
  const root = writeFiles(join(folder, "hand"), {
    "etc/hand": "made by hand\n",
    "bin/": "",
    big: "0123456789".repeat(50_000),
  });
  copyFileSync(toolPath("busybox"), join(root, "bin/sh"));
  await tool(["tar", "--numeric-owner", "-C", root, "-cf", join(folder, "hand.tar"), "."]);
  await tool(["zstd", "-q", join(folder, "hand.tar")]);
  const tar = readFileSync(join(folder, "hand.tar"));
  const packed = readFileSync(join(folder, "hand.tar.zst"));
  const type = "application/vnd.oci.image.layer.v1.tar";
  const images = [
    putImage(layout, "amd64", [[`${type}+zstd`, packed, tar]]),
    putImage(layout, "amd64", [[type, tar, tar]]),
    putImage(layout, "arm64", [[type, tar, tar]]),
  ] as const;
  const index = putJson(layout, {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [
      { ...images[2], platform: { os: "linux", architecture: "arm64", variant: "v8" } },
      { ...images[1], platform: { os: "linux", architecture: "amd64" } },
    ],
  });
  name(layout, "zstd", images[0]);
  name(layout, "plain", images[1]);
  name(layout, "multi", { ...index, mediaType: "application/vnd.oci.image.index.v1+json" });
}

type Descriptor = { readonly digest: string; readonly size: number };

/** Puts an image into a layout, from layers as (media type, bytes, bytes without compression). */
export function putImage(
  layout: string,
  architecture: string,
  layers: readonly (readonly [type: string, bytes: Uint8Array, unpacked: Uint8Array])[],
): Descriptor & { readonly mediaType: string } {
  const config = putJson(layout, {
    architecture,
    os: "linux",
    config: { Cmd: ["/bin/sh"] },
    rootfs: { type: "layers", diff_ids: layers.map(([, , unpacked]) => sha256(unpacked)) },
  });
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = putJson(layout, {
    schemaVersion: 2,
    mediaType,
    config: { ...config, mediaType: "application/vnd.oci.image.config.v1+json" },
    layers: layers.map(([type, bytes]) => ({ ...putBlob(layout, bytes), mediaType: type })),
  });
  return { ...manifest, mediaType };
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function putJson(layout: string, value: unknown): Descriptor {
  return putBlob(layout, Buffer.from(JSON.stringify(value)));
}

function putBlob(layout: string, bytes: Uint8Array): Descriptor {
  const digest = sha256(bytes);
  mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
  writeFileSync(join(layout, "blobs", digest.replace(":", "/")), bytes);
  return { digest, size: bytes.length };
}

/** Names an image of a layout. */
export function name(layout: string, tag: string, descriptor: Descriptor & { readonly mediaType: string }): void {
  const path = join(layout, "index.json");
  const index = JSON.parse(readFileSync(path, "utf8")) as { manifests: object[] };
  index.manifests.push({ ...descriptor, annotations: { "org.opencontainers.image.ref.name": tag } });
  writeFileSync(path, JSON.stringify(index));
}

/** Puts images of the layout into a registry: `HOST/test/TAG:1`. `docker` has Docker's media types. */
export async function fillRegistry(
  host: string,
  tags: readonly string[] = testImages,
  credentials?: string,
): Promise<void> {
  const layout = await testLayout();
  const login = credentials === undefined ? [] : ["--dest-creds", credentials];
  for (const tag of tags) {
    const source = tag === "docker" ? "busybox" : tag;
    const format = tag === "docker" ? ["--format", "v2s2"] : [];
    await tool([
      ...["skopeo", "copy", "--quiet", "--all", "--insecure-policy", "--dest-tls-verify=false", ...format, ...login],
      `oci:${layout}:${source}`,
      `docker://${host}/test/${tag}:1`,
    ]);
  }
}
