import { ImageError } from "../image/image-error.ts";
import { openStore } from "../image/open-store.ts";
import { readPlatform } from "../image/platform.ts";
import { storeRoot } from "../image/store-root.ts";
import type { ImageStore, Platform } from "../image/types.ts";
import type { Policy } from "../run/policy/policy.ts";
import { refuse } from "./commands/answer.ts";
import type { CommandInput } from "./commands/command.ts";
import { loadPolicy } from "./policy-source.ts";
import type { Ports } from "./ports.ts";

/** The caller's image store. Throws an ImageError when there is no place for one. */
export async function openImageStore(ports: Ports): Promise<ImageStore> {
  const backend = await ports.backend();
  return openStore({ root: storeRoot(ports.env, process.getuid?.() ?? 0), host: backend });
}

/** Runs work on the store; what it refuses is refused in words. */
export async function withImages(
  input: CommandInput,
  work: (store: ImageStore) => number | Promise<number>,
): Promise<number> {
  try {
    return await work(await openImageStore(input.ports));
  } catch (error) {
    if (error instanceof ImageError) return refuse(input.ports, error.diagnostics, input.json);
    throw error;
  }
}

/** The policy that says what an image may hold: `--policy`, or the default of every run. */
export async function policyOf(input: CommandInput): Promise<Policy> {
  const given = input.given.one("policy");
  const loaded = await loadPolicy(typeof given === "string" ? given : "task", { cwd: input.ports.cwd });
  if (!loaded.ok) throw new ImageError(loaded.diagnostics);
  return loaded.policy;
}

/** The value of `--platform`; undefined where it wasn't given. */
export function platformOf(input: CommandInput): Platform | undefined {
  const given = input.given.one("platform");
  return typeof given === "string" ? readPlatform(given) : undefined;
}
