/** A caller with an image store, a home and settings of its own. */
import { expect } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Policy } from "../../src/run/policy/policy.ts";
import { shippedPolicies } from "../../src/run/policy/shipped.gen.ts";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { type Ended, rauha, start } from "../support/rauha.ts";
import { sha256 } from "../support/test-images.ts";

/** The policy `task`, as it is shipped. */
export const { task: shippedTask } = shippedPolicies as Readonly<Record<"task", Policy>>;

export interface ImageCaller {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  /** `rauha image …`. */
  image(...args: string[]): Promise<Ended>;
  /** The same with `--json`: the lines of its output. */
  lines(...args: string[]): Promise<{ readonly ended: Ended; readonly events: Record<string, unknown>[] }>;
  /** Starts it and doesn't wait. */
  begin(...args: string[]): ReturnType<typeof start>;
}

/** Settings as TOML, files of the home, and variables. */
export function imageCaller(
  more: {
    toml?: string;
    home?: Readonly<Record<string, string>>;
    env?: Readonly<Record<string, string>>;
    root?: string;
  } = {},
): ImageCaller {
  const home = makeFolder("home");
  const root = more.root ?? join(home, "store");
  writeFiles(home, { "config/rauha/registries.toml": more.toml ?? "", ...more.home });
  const env = { HOME: home, XDG_CONFIG_HOME: join(home, "config"), RAUHA_STORE: root, ...more.env };
  return {
    root,
    env,
    image: (...args) => rauha(["image", ...args], { env }),
    lines: async (...args) => {
      const ended = await rauha(["image", ...args, "--json"], { env });
      return { ended, events: jsonLines(ended.stdout) };
    },
    begin: (...args) => start(["image", ...args], { env }),
  };
}

export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The error code of a failed command with `--json`. */
export function codeOf(events: readonly Record<string, unknown>[]): unknown {
  return (events.at(-1)?.["error"] as { code?: unknown } | undefined)?.code;
}

/** What must hold of a store at any moment: every blob is what its name says, and the index names only what is whole. */
export function expectConsistent(root: string): { readonly blobs: string[]; readonly references: string[] } {
  if (!existsSync(root)) return { blobs: [], references: [] };
  const blobs = ["sha256", "sha512"].flatMap((algorithm) =>
    names(join(root, "blobs", algorithm)).map((hex) => `${algorithm}:${hex}`),
  );
  for (const digest of blobs) {
    const bytes = readFileSync(join(root, "blobs", digest.replace(":", "/")));
    if (digest.startsWith("sha256:")) expect(sha256(bytes)).toBe(digest);
  }
  if (!existsSync(join(root, "index.json"))) return { blobs, references: [] };
  const read = (digest: string) => JSON.parse(readFileSync(join(root, "blobs", digest.replace(":", "/")), "utf8"));
  const index = JSON.parse(readFileSync(join(root, "index.json"), "utf8")) as { manifests: Manifested[] };
  for (const { digest } of index.manifests) {
    const manifest = read(digest) as { config: { digest: string }; layers: { digest: string }[] };
    for (const needed of [manifest.config, ...manifest.layers]) expect(blobs).toContain(needed.digest);
  }
  return {
    blobs,
    references: index.manifests.map(({ annotations }) => annotations["org.opencontainers.image.ref.name"] ?? ""),
  };
}

interface Manifested {
  readonly digest: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What is under way in a store, or was when it was killed: halves of blobs, and leases. */
export function leftovers(root: string): string[] {
  const work = ["blobs", "leases"].flatMap((folder) =>
    names(join(root, "work", folder)).map((name) => `${folder}/${name}`),
  );
  return [...work, ...names(root).filter((name) => name.includes(".new-"))];
}

export function names(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}
