/**
 * The second disk: this checkout, as the guest's /opt/rauha, with what is built and the packages that tests import.
 */
import { copyFileSync, existsSync, lstatSync, mkdirSync, readlinkSync, statSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CacheEntry, cached } from "./cache.ts";
import { makeExt4 } from "./ext4.ts";
import { hashOf } from "./hash.ts";
import { run } from "./process.ts";
import { RigError } from "./rig-error.ts";

const FREE_MIB = 512;
const BUN = "node_modules/.bin/bun";
/** Development tools that no test imports: half of node_modules, most of it compiled programs. */
const TOOLS = /^node_modules\/(\.bin|@biomejs|@oven|@types|@typescript|bun|bun-types|typescript|undici-types)\//;

export async function ensureCheckoutImage(checkout: string): Promise<CacheEntry> {
  const paths = await checkoutPaths(checkout);
  const key = hashOf([await Bun.file(import.meta.path).text(), ...paths.map((path) => fingerprint(checkout, path))]);
  return await cached({ kind: "checkout", key, make: (work) => build(checkout, paths, work) });
}

/** Every file that the guest gets, relative to the checkout: what git knows or would add, what is built, and the packages. */
async function checkoutPaths(checkout: string): Promise<string[]> {
  if (!existsSync(join(checkout, BUN))) throw new RigError(`${BUN} is missing; run: scripts/bootstrap.sh`);
  // The checkout may be another user's, who then asked for this run by running it.
  const git = ["git", "-c", "safe.directory=*", "-C", checkout];
  const known = await run([...git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  const folders = ["dist", "build", "node_modules"].filter((name) => existsSync(join(checkout, name)));
  const made =
    folders.length === 0
      ? ""
      : await run(["find", ...folders, "-mindepth", "1", "!", "-type", "d", "-print0"], { cwd: checkout });
  const paths = new Set([...known.split("\0"), ...made.split("\0")].filter((path) => path !== "" && !TOOLS.test(path)));
  return [...paths, BUN].filter((path) => isFileOrLink(join(checkout, path))).sort();
}

/** A file that git still lists may be gone, and one that a build is writing may go any moment. */
function isFileOrLink(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && (stat.isFile() || stat.isSymbolicLink());
}

/** Size and time stand for the content: reading 200 MB at every run would cost more than it saves. */
function fingerprint(checkout: string, path: string): string {
  const stat = lstatSync(join(checkout, path), { throwIfNoEntry: false });
  return stat === undefined ? path : `${path} ${stat.mode} ${stat.size} ${stat.mtimeMs}`;
}

async function build(checkout: string, paths: readonly string[], work: string): Promise<void> {
  const tree = join(work, "tree");
  mkdirSync(tree);
  for (const path of paths) copy(join(checkout, path), join(tree, path), path === BUN);
  await run(["chmod", "-R", "a+rX", tree]);
  await makeExt4({ tree, image: join(work, "entry"), freeMiB: FREE_MIB, label: "rig-checkout" });
}

function copy(from: string, to: string, follow: boolean): void {
  mkdirSync(dirname(to), { recursive: true });
  const stat = follow ? statSync(from, { throwIfNoEntry: false }) : lstatSync(from, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
  else copyFileSync(from, to);
}
