/**
 * Lays the guest's userland out in a folder: the files of the chosen packages, and the few that no package owns.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { type InstalledPackage, packageFiles } from "./packages.ts";
import { run } from "./process.ts";

/** Bulk that no test reads; of the compiler, link-time optimisation and sanitizers. */
const LEFT_OUT = [
  /^\/usr\/share\/(doc|man|info|locale|i18n|lintian|bug|common-licenses|zoneinfo|icons|pixmaps|perl5|bash-completion)\//,
  /^\/usr\/lib\/(debug|systemd\/system)\//,
  /\/lto1$|\/lib(asan|tsan|lsan|ubsan|hwasan)[_.]/,
  /\.pyc$/,
] as const;

/** Folders that exist empty, with the mode that Debian gives them. */
// biome-ignore format: a table
const EMPTY_FOLDERS: readonly (readonly [string, number])[] = [
  ["boot", 0o755], ["dev", 0o755], ["home", 0o755], ["media", 0o755], ["mnt", 0o755], ["opt/rauha", 0o755], ["proc", 0o755],
  ["root", 0o700], ["run", 0o755], ["srv", 0o755], ["sys", 0o755], ["tmp", 0o1777], ["var/lib", 0o755],
  ["var/log", 0o755], ["var/tmp", 0o1777], ["home/rig", 0o755],
];

/** The ordinary user of the guest. */
export const USER = { name: "rig", id: 12321, home: "/home/rig" } as const;

/** Which host paths the guest gets, without duplicates, each by its true path: /bin/bash and /usr/bin/bash are one file. */
export function userlandPaths(packages: readonly InstalledPackage[]): string[] {
  const folders = new Map<string, string>();
  const truePath = (path: string): string => {
    const folder = dirname(path);
    let real = folders.get(folder);
    if (real === undefined) {
      real = existsSync(folder) ? realpathSync(folder) : folder;
      folders.set(folder, real);
    }
    return join(real, basename(path));
  };
  const paths = new Set<string>();
  for (const item of packages) {
    for (const path of packageFiles(item)) {
      if (LEFT_OUT.some((pattern) => pattern.test(path))) continue;
      const real = truePath(path);
      if (lstatSync(real, { throwIfNoEntry: false }) !== undefined) paths.add(real);
    }
  }
  for (const path of alternatives(paths)) paths.add(path);
  return [...paths].sort();
}

/** awk, nc, … are links through /etc/alternatives that no package owns; those whose target the guest has are taken. */
function alternatives(paths: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (const folder of ["/usr/bin", "/usr/sbin"]) {
    for (const name of readdirSync(folder)) {
      const link = join(folder, name);
      if (!lstatSync(link).isSymbolicLink()) continue;
      const middle = readlinkSync(link);
      if (!middle.startsWith("/etc/alternatives/") || !existsSync(middle)) continue;
      if (paths.has(realpathSync(middle))) found.push(link, middle);
    }
  }
  return found;
}

/** Fills the empty folder `tree`. Everything in it is to belong to root; the image's maker sees to that. */
export async function layUserland(packages: readonly InstalledPackage[], tree: string): Promise<void> {
  // The links of a merged /usr first: tar then unpacks through them and never in their place.
  for (const name of ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]) {
    if (lstatSync(`/${name}`, { throwIfNoEntry: false })?.isSymbolicLink()) {
      mkdirSync(join(tree, readlinkSync(`/${name}`)), { recursive: true });
      symlinkSync(readlinkSync(`/${name}`), join(tree, name));
    }
  }
  const list = userlandPaths(packages)
    .map((path) => `.${path}\0`)
    .join("");
  // Files that an ordinary user can't read (sudoers, shadow) are left out: the guest has its own.
  await run(
    [
      "sh",
      "-c",
      'tar -C / --null --no-recursion --ignore-failed-read --warning=none -T - -cf - | tar -C "$1" --keep-directory-symlink --no-same-owner -pxf -',
      "sh",
      tree,
    ],
    { stdin: list },
  );
  for (const [path, mode] of EMPTY_FOLDERS) {
    mkdirSync(join(tree, path), { recursive: true });
    await run(["chmod", mode.toString(8), join(tree, path)]);
  }
  writeAccounts(join(tree, "etc"));
}

function writeAccounts(etc: string): void {
  const { name, id, home } = USER;
  const write = (file: string, text: string): void => writeFileSync(join(etc, file), text);
  write(
    "passwd",
    `root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/usr/sbin/nologin\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n${name}:x:${id}:${id}::${home}:/bin/bash\n`,
  );
  write("group", `root:x:0:\ndaemon:x:1:\ntty:x:5:\nshadow:x:42:\nnogroup:x:65534:\n${name}:x:${id}:\n`);
  write("shadow", `root:*:19000:0:99999:7:::\n${name}:*:19000:0:99999:7:::\n`);
  write("subuid", `${name}:200000:65536\n`);
  write("subgid", `${name}:200000:65536\n`);
  write("hostname", "rig\n");
  write("hosts", "127.0.0.1 localhost rig\n::1 localhost\n");
  write("resolv.conf", "");
  write("fstab", "");
  write("nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n");
}
