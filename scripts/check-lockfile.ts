/**
 * Keeps the dependencies pinned and the lockfile portable: exact versions in package.json, a checksum for each package, and no
 * address of a registry, so that whoever installs uses the registry of their own configuration.
 *
 *   bun scripts/check-lockfile.ts [ROOT]
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Manifest {
  readonly engines?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** What is wrong with package.json and bun.lock, in words. */
export function checkLockfile(root: string): string[] {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
  const lock = readFileSync(join(root, "bun.lock"), "utf8");
  const breaches = [...inexactVersions(manifest), ...addresses("bun.lock", lock), ...uncheckedPackages(lock)];
  if (manifest.engines?.["bun"] !== manifest.devDependencies?.["bun"]) {
    breaches.push("package.json: engines.bun and devDependencies.bun differ");
  }
  for (const other of [".npmrc", "package-lock.json", "yarn.lock", "pnpm-lock.yaml"]) {
    if (existsSync(join(root, other)))
      breaches.push(`${other}: bun.lock is the only lockfile, registries are not configured here`);
  }
  return breaches;
}

function inexactVersions({ dependencies, devDependencies }: Manifest): string[] {
  return Object.entries({ ...dependencies, ...devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `package.json: ${name} is "${version}", an exact version is expected`);
}

function addresses(file: string, text: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    const found = /[a-z+]+:\/\/[^"\s]*/i.exec(line);
    return found ? [`${file}:${index + 1}: names the address ${found[0]}`] : [];
  });
}

/** A package's entry is `"name": ["name@version", "registry", {…}, "sha512-…"]`, with "" for the configured registry. */
function uncheckedPackages(lock: string): string[] {
  const entry = /^ {4}"([^"]+)": \["[^"]*", (".*?"|[^"])/;
  return lock.split("\n").flatMap((line, index) => {
    const [, name, registry] = entry.exec(line) ?? [];
    if (name === undefined) return [];
    if (registry !== '""') return [`bun.lock:${index + 1}: ${name} is bound to a registry`];
    return /"sha512-[A-Za-z0-9+/=]+"\],?$/.test(line) ? [] : [`bun.lock:${index + 1}: ${name} has no checksum`];
  });
}

if (import.meta.main) {
  const breaches = checkLockfile(process.argv[2] ?? `${import.meta.dir}/..`);
  for (const breach of breaches) console.error(`lockfile: ${breach}`);
  process.exit(breaches.length > 0 ? 1 : 0);
}
