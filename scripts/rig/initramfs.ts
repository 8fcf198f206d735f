/**
 * The initramfs: busybox and the few modules that it takes to mount the root disk. Everything else is on the disk, which is read
 * lazily; an initramfs with the userland in it would be copied and unpacked by an emulated processor at every boot.
 */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { hashOf } from "./hash.ts";
import type { Kernel } from "./kernel.ts";
import { loadOrder } from "./modules.ts";
import { run } from "./process.ts";

const NEEDED = ["virtio_pci", "virtio_blk", "ext4"];
const INIT = join(import.meta.dir, "guest/initramfs.sh");

export async function ensureInitramfs(kernel: Kernel): Promise<string> {
  const key = hashOf([kernel.release, kernel.version, readFileSync(import.meta.path), readFileSync(INIT)]);
  const entry = await cached({ kind: "initramfs", key, make: (work) => build(kernel, work) });
  return entry.path;
}

async function build(kernel: Kernel, work: string): Promise<void> {
  const tree = join(work, "tree");
  for (const folder of ["bin", "dev", "proc", "root", "modules"]) mkdirSync(join(tree, folder), { recursive: true });
  const modules = join(kernel.root, "lib/modules", kernel.release);
  const read = (name: string): string => readFileSync(join(modules, name), "utf8");
  const order = loadOrder(read("modules.dep"), read("modules.builtin"), NEEDED);
  const names = order.map((path, index) => `${index}-${path.split("/").at(-1)}`);
  for (const [index, path] of order.entries())
    copyFileSync(join(modules, path), join(tree, "modules", names[index] ?? ""));
  writeFileSync(join(tree, "modules/order"), names.map((name) => `${name}\n`).join(""));
  copyFileSync((await run(["sh", "-c", "command -v busybox"])).trim(), join(tree, "bin/busybox"));
  copyFileSync(INIT, join(tree, "init"));
  chmodSync(join(tree, "bin/busybox"), 0o755);
  chmodSync(join(tree, "init"), 0o755);
  await run(["sh", "-c", 'find . | busybox cpio -o -H newc >"$1"', "sh", join(work, "entry")], { cwd: tree });
}
