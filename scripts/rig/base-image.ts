/**
 * The root disk: userland, kernel modules and the guest's own scripts. It changes when a package of the host or the rig does.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type CacheEntry, cached } from "./cache.ts";
import { makeExt4 } from "./ext4.ts";
import { hashOf } from "./hash.ts";
import type { Kernel } from "./kernel.ts";
import { guestPackages, type InstalledPackage } from "./packages.ts";
import { run } from "./process.ts";
import { layUserland } from "./userland.ts";

const GUEST = join(import.meta.dir, "guest");
/** Where the guest finds its scripts. Programs of the guest itself, not of what is tested. */
const GUEST_HOME = "usr/lib/rauha-rig";
const FREE_MIB = 2048;
/** A change of these changes the image. */
const RECIPE = ["base-image.ts", "ext4.ts", "packages.ts", "userland.ts"];

export async function ensureBaseImage(kernel: Kernel): Promise<CacheEntry> {
  const packages = await guestPackages();
  const scripts = readdirSync(GUEST).sort();
  const key = hashOf([
    `${kernel.release} ${kernel.version}`,
    process.getuid?.() === 0 ? "root" : "user",
    ...packages.map((item) => `${item.name}=${item.version}`),
    ...RECIPE.map((name) => readFileSync(join(import.meta.dir, name))),
    ...scripts.flatMap((name) => [name, readFileSync(join(GUEST, name))]),
  ]);
  return await cached({ kind: "base", key, make: (work) => build(kernel, packages, scripts, work) });
}

async function build(
  kernel: Kernel,
  packages: readonly InstalledPackage[],
  scripts: readonly string[],
  work: string,
): Promise<void> {
  const tree = join(work, "tree");
  mkdirSync(tree);
  await layUserland(packages, tree);
  const modules = join(tree, "usr/lib/modules");
  mkdirSync(modules, { recursive: true });
  await run(["cp", "-a", join(kernel.root, "lib/modules", kernel.release), modules]);
  // A userland that is not merged has /lib apart.
  if (!existsSync(join(tree, "lib/modules"))) symlinkSync("../usr/lib/modules", join(tree, "lib/modules"));
  // kmod's modprobe reads indexes that busybox's depmod does not write.
  if (existsSync(join(tree, "usr/sbin/depmod"))) await run(["depmod", "-b", tree, kernel.release]);
  installScripts(scripts, tree);
  await run(["sh", "-c", 'cp "$(command -v busybox)" "$1"', "sh", join(tree, GUEST_HOME, "busybox")]);
  await makeExt4({ tree, image: join(work, "entry"), freeMiB: FREE_MIB, label: "rig-base" });
}

function installScripts(scripts: readonly string[], tree: string): void {
  const home = join(tree, GUEST_HOME);
  mkdirSync(home, { recursive: true });
  for (const name of scripts) {
    const target = join(home, name.replace(/\.sh$/, ""));
    copyFileSync(join(GUEST, name), target);
    chmodSync(target, 0o755);
  }
  // The kernel calls /sbin/modprobe to load what a mount or a socket asks for.
  if (!existsSync(join(tree, "usr/sbin/modprobe")))
    symlinkSync("../lib/rauha-rig/busybox", join(tree, "usr/sbin/modprobe"));
  symlinkSync("../lib/rauha-rig/as", join(tree, "usr/bin/as-rig"));
}
