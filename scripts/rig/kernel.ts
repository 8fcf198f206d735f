/**
 * Finds, fetches and unpacks the guest's kernel: the newest one that the distribution offers, since old ones leave the mirrors.
 * Debian's cloud flavour comes first: it is small, has BTF and every cgroup v2 controller, and boots on virtio alone.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type AptLists, type AptPackage, aptDownload, aptShow, aptUpdateOwnLists } from "./apt.ts";
import { cached, cacheRoot } from "./cache.ts";
import { run } from "./process.ts";
import { RigError } from "./rig-error.ts";

/** Packages that depend on the newest kernel of their flavour, best first: Debian's, then Ubuntu's. */
const FLAVOURS = ["linux-image-cloud-amd64", "linux-image-virtual", "linux-image-kvm", "linux-image-amd64"];
/** For so long a kernel that was found is used without asking apt again. */
const ASK_AGAIN_MS = 24 * 60 * 60 * 1000;

export interface Kernel {
  /** What `uname -r` says in the guest. */
  readonly release: string;
  readonly version: string;
  readonly image: string;
  /** The folder that holds lib/modules/RELEASE. */
  readonly root: string;
}

/** The kernel image package and, where modules are packaged apart (Ubuntu), that package too. */
export interface KernelPackages {
  readonly lists: AptLists;
  readonly image: AptPackage;
  readonly modules: AptPackage | null;
}

/** Among a flavour's dependencies, the one that is a kernel of a fixed version. */
export function versionedImage(depends: readonly string[]): string | null {
  return depends.find((name) => /^linux-image-(unsigned-)?\d/.test(name)) ?? null;
}

async function resolvePackages(lists: AptLists): Promise<KernelPackages | null> {
  for (const flavour of FLAVOURS) {
    const meta = await aptShow(flavour, lists);
    const name = meta === null ? null : versionedImage(meta.depends);
    const image = name === null ? null : await aptShow(name, lists);
    if (image === null) continue;
    const modulesName = image.depends.find((item) => /^linux-modules-\d/.test(item));
    const modules = modulesName === undefined ? null : await aptShow(modulesName, lists);
    return { lists, image, modules };
  }
  return null;
}

async function unpack(packages: KernelPackages, work: string): Promise<void> {
  const root = join(work, "entry");
  await mkdir(root);
  for (const wanted of [packages.image, packages.modules]) {
    if (wanted === null) continue;
    const file = await aptDownload(wanted, work, packages.lists);
    await run(["dpkg-deb", "-x", file, root]);
    await rm(file);
  }
  // Debian before usrmerge, and after it, differ in where modules are: one place for the rest of the rig.
  if (!existsSync(join(root, "lib")) && existsSync(join(root, "usr/lib/modules")))
    await run(["ln", "-s", "usr/lib", `${root}/lib`]);
  await rm(join(root, "usr/share"), { recursive: true, force: true });
  const release = onlyRelease(root);
  await decompressModules(join(root, "lib/modules", release));
  await run(["busybox", "depmod", "-b", root, release]);
  writeFileSync(join(root, "version"), `${packages.image.version}\n`);
}

/** The rig loads modules with busybox, which reads plain ones only. */
async function decompressModules(folder: string): Promise<void> {
  await run([
    "sh",
    "-c",
    `find "$1" -name '*.ko.zst' -exec zstd -q -d --rm {} + ; find "$1" -name '*.ko.xz' -exec xz -d {} +`,
    "sh",
    folder,
  ]);
}

function onlyRelease(root: string): string {
  const releases = readdirSync(join(root, "lib/modules"));
  const release = releases[0];
  if (release === undefined) throw new RigError("the kernel package holds no modules");
  return release;
}

function readKernel(root: string): Kernel {
  const release = onlyRelease(root);
  const image = join(root, "boot", `vmlinuz-${release}`);
  return { release, version: readFileSync(join(root, "version"), "utf8").trim(), image, root };
}

async function fetchKernel(lists: AptLists, say: (text: string) => void): Promise<Kernel | null> {
  const packages = await resolvePackages(lists);
  if (packages === null) return null;
  const key = `${packages.image.name}_${packages.image.version}`.replaceAll(/[^\w.+-]/g, "_");
  const entry = await cached({
    kind: "kernel",
    key,
    make: async (work) => {
      say(`fetching ${packages.image.name} ${packages.image.version}`);
      await unpack(packages, work);
    },
  });
  writeFileSync(lastFile(), entry.path);
  return readKernel(entry.path);
}

/** Where the path of the kernel used last is written; its age says when apt was asked. */
function lastFile(): string {
  return join(cacheRoot(), "kernel-last");
}

async function lastKernel(maxAgeMs: number): Promise<Kernel | null> {
  const file = Bun.file(lastFile());
  if (!(await file.exists()) || Date.now() - file.lastModified > maxAgeMs) return null;
  const root = await file.text();
  return existsSync(root) ? readKernel(root) : null;
}

/** The kernel to boot, fetched when it is not in the cache. */
export async function ensureKernel(say: (text: string) => void): Promise<Kernel> {
  const recent = await lastKernel(ASK_AGAIN_MS);
  if (recent !== null) return recent;
  let reason: unknown = null;
  try {
    const kernel = await fetchKernel("system", say);
    if (kernel !== null) return kernel;
  } catch (error) {
    reason = error;
  }
  say("the system's package lists don't do; updating lists of the rig's own");
  try {
    const kernel = (await aptUpdateOwnLists()) ? await fetchKernel("own", say) : null;
    if (kernel !== null) return kernel;
  } catch (error) {
    reason = error;
  }
  const old = await lastKernel(Number.POSITIVE_INFINITY);
  if (old !== null) {
    say(`no package server answers; going on with ${old.release} from the cache`);
    return old;
  }
  if (reason !== null) throw reason;
  throw new RigError(`apt offers no kernel (looked for ${FLAVOURS.join(", ")}); run: apt-get update`);
}
