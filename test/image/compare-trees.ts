/** Trees listed to the last bit, and what umoci makes of an image. */
import { expect } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { isRoot } from "../support/identity.ts";

const lister = join(import.meta.dir, "list-tree.py");

export type Listed = Record<string, Record<string, unknown>>;

/** Where trees are listed: an ordinary user needs a user namespace for the mount of the layers, so both sides are listed in one. */
const plain = isRoot ? ["unshare", "-m"] : ["unshare", "-Urm"];

function list(args: readonly string[], unshare: readonly string[] = plain): Listed {
  const { stdout, stderr, exitCode } = Bun.spawnSync([...unshare, "python3", lister, ...args], { stdin: "ignore" });
  if (exitCode !== 0) throw new Error(stderr.toString());
  return withoutRoot(JSON.parse(stdout.toString()) as Listed);
}

/** In a zone the root's own attributes are those of the zone's upper directory; no layer has a say in them. */
function withoutRoot(listed: Listed): Listed {
  delete listed["."];
  return listed;
}

export function runTool(command: readonly string[], cwd = "/"): void {
  const { exitCode, stderr } = Bun.spawnSync([...command], { cwd, stdin: "ignore" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
}

/** What `umoci unpack` gives of `LAYOUT:TAG`. */
export function listByUmoci(image: string): Listed {
  const bundle = join(makeFolder("bundle"), "bundle");
  runTool(["umoci", "unpack", ...(isRoot ? [] : ["--rootless"]), "--image", image, bundle]);
  return list([join(bundle, "rootfs")]);
}

/** The same as root of the namespaces that `unshare` makes, and from there. */
export function listByUmociIn(unshare: readonly string[], image: string): Listed {
  const bundle = join(makeFolder("bundle"), "bundle");
  runTool([...unshare, "umoci", "unpack", "--image", image, bundle]);
  const listed = list([join(bundle, "rootfs")], unshare);
  runTool([...unshare, "rm", "-r", bundle]);
  return listed;
}

/** The unpacked layers of a store's image, `sha256:…` from the lowest, stacked as a zone has them. */
export function listLayers(storeRoot: string, diffIds: readonly string[]): Listed {
  return listLayersIn(plain, join(storeRoot, "layers"), diffIds);
}

/** The same of one folder of layers, from the namespaces that `unshare` makes. */
export function listLayersIn(unshare: readonly string[], folder: string, diffIds: readonly string[]): Listed {
  const names = diffIds.map((diffId) => `sha256/${diffId.slice(7)}/tree`);
  // On top lies what says how directories are meant that layers only imply.
  const joints = existsSync(join(folder, "joint")) ? readdirSync(join(folder, "joint")) : [];
  for (const joint of joints) names.push(`joint/${joint}/tree`);
  return list(["--layers", folder, ...names], unshare);
}

/** A mistake shows as the entries that differ, not as two trees. */
export function expectSame({ ours, theirs }: { ours: Listed; theirs: Listed }): void {
  const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
  const differing = names.filter((name) => JSON.stringify(ours[name]) !== JSON.stringify(theirs[name]));
  expect(differing.slice(0, 5).map((name) => ({ name, ours: ours[name], theirs: theirs[name] }))).toEqual([]);
}

/** The digests of an image's layers without compression, from the lowest: `LAYOUT:TAG`. */
export function diffIdsOf(image: string): string[] {
  const at = image.lastIndexOf(":");
  const layout = image.slice(0, at);
  const read = (digest: string) => JSON.parse(readFileSync(join(layout, "blobs", digest.replace(":", "/")), "utf8"));
  const { manifests } = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as {
    manifests: { digest: string; annotations?: Record<string, string> }[];
  };
  const found = manifests.find(({ annotations }) => annotations?.[refName] === image.slice(at + 1));
  return read(read(found?.digest ?? "").config.digest).rootfs.diff_ids;
}

const refName = "org.opencontainers.image.ref.name";
