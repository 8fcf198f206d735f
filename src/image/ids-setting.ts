import type { HostIo } from "../run/backend.ts";
import { registryFileBytes, registryFiles } from "./registry/registry-paths.ts";

/**
 * The file of settings that asks for subordinate ids (`[ids] subordinate = true`); undefined for one id. On the way of every start with an
 * image: where no file speaks of ids, none is parsed. Throws an ImageError for mistakes.
 */
export async function subordinateIdsAsked(
  io: Pick<HostIo, "readText">,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  for (const file of registryFiles(env)) {
    const read = io.readText(file, registryFileBytes);
    const isSilent =
      "text" in read ? !read.text.includes("ids") : read.problem === "ENOENT" || read.problem === "ENOTDIR";
    if (isSilent) continue;
    const { loadRegistryConfig } = await import("./registry/registry-files.ts");
    return loadRegistryConfig(io, env).subordinateIds;
  }
  return undefined;
}
