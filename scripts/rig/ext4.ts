/**
 * Makes an ext4 image from a folder. ext4 because it is what a real host has: writable (QEMU keeps the writes of a run apart),
 * and the file system on which idmapped mounts, overlay layers and extended attributes work in every kernel that counts.
 */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { run } from "./process.ts";

export interface Ext4Request {
  readonly tree: string;
  readonly image: string;
  /** Room for what the guest writes; the file is sparse. */
  readonly freeMiB: number;
  readonly label: string;
}

/**
 * Without a journal, and with the tables left to be written when they are used: an image that is thrown away needs neither, and it is
 * made in a second.
 */
export async function makeExt4(request: Ext4Request): Promise<void> {
  const usedMiB = Number((await run(["du", "-sm", "--apparent-size", request.tree])).split("\t")[0]);
  const script = join(request.image, "..", "make.sh");
  await Bun.write(
    script,
    `set -e
tree=$1 image=$2 size=$3 label=$4
chown 0:0 "$tree"
if [ -d "$tree/etc" ]; then ldconfig -r "$tree" || true; fi
mke2fs -q -F -t ext4 -L "$label" -m 0 -N 262144 -O ^has_journal,^metadata_csum -E lazy_itable_init=1,nodiscard,root_owner=0:0 -d "$tree" "$image" "$size"
`,
  );
  const sizeMiB = Math.ceil(usedMiB * 1.15) + request.freeMiB;
  await run([...asRootOfOwn(), "sh", script, request.tree, request.image, `${sizeMiB}M`, request.label]);
  chmodSync(request.image, 0o644);
}

/** An ordinary user's files look like root's from inside a user namespace: that is whom they belong to in the image. */
function asRootOfOwn(): string[] {
  return process.getuid?.() === 0 ? [] : ["unshare", "--user", "--map-root-user"];
}
