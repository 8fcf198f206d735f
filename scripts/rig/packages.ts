/**
 * Which of the host's installed packages the guest gets: what the suites call, and all that those depend on.
 *
 * Taking whole packages gives a userland that is a real Debian one, small enough to build in seconds, and whose
 * content is known by name and version alone, so that a cached image can be trusted without reading a file of it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./process.ts";
import { RigError } from "./rig-error.ts";

/** Without these no suite can run. */
export const REQUIRED = [
  "base-files",
  "bash",
  "coreutils",
  "util-linux",
  "mount",
  "libc6",
  "grep",
  "sed",
  "tar",
  "procps",
];

/** What tests like to call. Taken when the host has it; a test that needs one says so by its own skip. */
// biome-ignore format: a list of words
export const WELCOME = [
  "acl", "attr", "bpftool", "bubblewrap", "busybox-static", "ca-certificates", "curl", "dash", "diffutils", "file",
  "findutils", "gawk", "gcc", "git", "gzip", "hostname", "iproute2", "iputils-ping", "jq", "kmod", "less", "libbpf1",
  "libc6-dev", "libcap2-bin", "libseccomp-dev", "libstdc++6", "lsof", "make", "mawk", "musl-tools", "ncurses-base",
  "ncurses-bin", "netcat-openbsd", "nftables", "openssl", "passwd", "patch", "perl-base", "psmisc", "python3",
  "socat", "strace", "sudo", "time", "tmux", "uidmap", "xz-utils", "zstd",
];

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  readonly essential: boolean;
  /** Each need is a list of alternatives. */
  readonly needs: readonly (readonly string[])[];
  readonly provides: readonly string[];
}

/** In dpkg's own notation, a field is its name in a dollar sign and braces. */
const field = (name: string): string => `\${${name}}`;
const FORMAT = `${[
  ...["Package", "Version", "Architecture", "db:Status-Status", "Essential"].map(field),
  `${field("Pre-Depends")}, ${field("Depends")}`,
  field("Provides"),
].join("\t")}\n`;

const bareName = (text: string): string => text.replace(/[(:].*$/, "").trim();

/** Reads what `dpkg-query -W` prints with FORMAT. Of two architectures of a package the machine's own counts. */
export function parseInstalled(text: string, arch: string): Map<string, InstalledPackage> {
  const packages = new Map<string, InstalledPackage>();
  for (const line of text.split("\n")) {
    const [name = "", version = "", packageArch = "", status = "", essential = "", needs = "", provides = ""] =
      line.split("\t");
    if (status !== "installed" || (packageArch !== arch && packageArch !== "all")) continue;
    packages.set(name, {
      name,
      version,
      arch: packageArch,
      essential: essential === "yes",
      needs: needs
        .split(",")
        .map((need) =>
          need
            .split("|")
            .map(bareName)
            .filter((item) => item !== ""),
        )
        .filter((need) => need.length > 0),
      provides: provides
        .split(",")
        .map(bareName)
        .filter((item) => item !== ""),
    });
  }
  return packages;
}

/** All installed packages that the given ones reach through their needs, the essential ones included; sorted by name. */
export function closure(
  installed: ReadonlyMap<string, InstalledPackage>,
  roots: readonly string[],
): InstalledPackage[] {
  const providers = new Map<string, string>();
  for (const item of installed.values()) for (const name of item.provides) providers.set(name, item.name);
  const find = (name: string): InstalledPackage | undefined =>
    installed.get(name) ?? installed.get(providers.get(name) ?? "");
  const reached = new Set<InstalledPackage>();
  const visit = (item: InstalledPackage): void => {
    if (reached.has(item)) return;
    reached.add(item);
    for (const need of item.needs) {
      const met = need.map(find).find((candidate) => candidate !== undefined);
      if (met !== undefined) visit(met);
    }
  };
  for (const item of installed.values()) if (item.essential) visit(item);
  for (const name of roots) {
    const item = find(name);
    if (item !== undefined) visit(item);
  }
  return [...reached].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export async function guestPackages(): Promise<InstalledPackage[]> {
  const arch = (await run(["dpkg", "--print-architecture"])).trim();
  const installed = parseInstalled(await run(["dpkg-query", "-W", "-f", FORMAT]), arch);
  const missing = REQUIRED.filter((name) => !installed.has(name));
  if (missing.length > 0) throw new RigError(`the guest needs these packages on the host: ${missing.join(" ")}`);
  return closure(installed, [...REQUIRED, ...WELCOME]);
}

/** The paths that a package has put on the host. */
export function packageFiles(item: InstalledPackage): string[] {
  const folder = "/var/lib/dpkg/info";
  for (const name of [item.name, `${item.name}:${item.arch}`]) {
    try {
      const text = readFileSync(join(folder, `${name}.list`), "utf8");
      return text.split("\n").filter((path) => path.startsWith("/") && path !== "/.");
    } catch {}
  }
  throw new RigError(`dpkg has no list of files for ${item.name}`);
}
