/**
 * A Debian as debootstrap makes it, packed as an OCI layout for the tests of images. Making it takes minutes, root and a mirror: it is made
 * once for a machine and kept in the rig's cache.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cached, cacheRoot } from "../rig/cache.ts";
import { lastLines, run, tryRun } from "../rig/process.ts";
import { RigError } from "../rig/rig-error.ts";

const kind = "debian";
const release = "bookworm";
/** Says which layout it is; a change to what is made here counts it up. */
const key = `${release}-${process.arch}-2`;

/** Tags of the layout: the tree with an empty /dev, as builders of images leave it, and one more layer with debootstrap's devices. */
export const debianTags = { sound: "debian", withDevices: "devices" } as const;

/** Says that debootstrap had nobody to talk to; anything else that stops it is a failure. */
const unreachable = /Failed getting release|Couldn't download|Couldn't work out|Invalid Release file/;

/** The folder of the layout; undefined where it is not there and can't be made: only root can, with debootstrap and a mirror. */
export async function debianImage(): Promise<string | undefined> {
  const given = process.env["RAUHA_TEST_DEBIAN"];
  if (given !== undefined && existsSync(given)) return given;
  const path = join(cacheRoot(), kind, key);
  if (existsSync(path)) return path;
  const found = await tryRun(["debootstrap", "--version"]);
  if (process.getuid?.() !== 0 || !found.ok) return undefined;
  try {
    return (await cached({ kind, key, make })).path;
  } catch (error) {
    if (error instanceof NoMirror) return undefined;
    throw error;
  }
}

class NoMirror extends Error {}

async function make(work: string): Promise<void> {
  const [tree, layout] = [join(work, "tree"), join(work, "entry")];
  // In a mount namespace of its own: what it mounts below the tree is gone with it, also when it fails.
  const made = await tryRun(["unshare", "--mount", "debootstrap", "--variant=minbase", release, tree]);
  if (!made.ok) {
    const said = lastLines(`${made.stdout}\n${made.stderr}`, 20);
    if (unreachable.test(said)) throw new NoMirror(said);
    throw new RigError("debootstrap failed", said);
  }
  // The packages themselves and apt's lists; the folders belong to apt.
  for (const folder of ["var/cache/apt", "var/lib/apt/lists"])
    await run(["find", join(tree, folder), "-type", "f", "-delete"]);
  const pack = (archive: string, what: string) =>
    run(["tar", "-C", tree, "--numeric-owner", "--xattrs", "--sort=name", "-cf", join(work, archive), what]);
  await pack("devices.tar", "./dev");
  for (const name of readdirSync(join(tree, "dev"))) rmSync(join(tree, "dev", name), { recursive: true });
  await pack("tree.tar", ".");
  const { sound, withDevices } = debianTags;
  await run(["umoci", "init", "--layout", layout]);
  await run(["umoci", "new", "--image", `${layout}:${sound}`]);
  await run(["umoci", "raw", "add-layer", "--image", `${layout}:${sound}`, join(work, "tree.tar")]);
  const config = ["--config.cmd=/bin/bash", "--config.env=PATH=/usr/sbin:/usr/bin:/sbin:/bin", "--config.env=LANG=C"];
  await run(["umoci", "config", "--image", `${layout}:${sound}`, ...config]);
  await run(["umoci", "tag", "--image", `${layout}:${sound}`, withDevices]);
  await run(["umoci", "raw", "add-layer", "--image", `${layout}:${withDevices}`, join(work, "devices.tar")]);
  await run(["umoci", "gc", "--layout", layout]);
  await run(["chmod", "-R", "a+rX", layout]);
}

/** A copy for another user, below a folder of theirs; undefined where there is none. */
export async function shareDebianImage(folder: string, uid: number): Promise<string | undefined> {
  const layout = await debianImage();
  if (layout === undefined) return undefined;
  const copy = join(folder, "debian");
  if (existsSync(copy)) return copy;
  mkdirSync(copy);
  chmodSync(copy, 0o755);
  await run(["cp", "-a", "--reflink=auto", `${layout}/.`, copy]);
  await run(["chown", "-R", `${uid}:${uid}`, copy]);
  return copy;
}
