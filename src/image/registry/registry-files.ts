/** Finds and reads the files of settings: the system's, then the user's over it. */
import type { HostIo } from "../../run/backend.ts";
import type { Diagnostic } from "../../run/diagnostic.ts";
import { ImageError } from "../image-error.ts";
import { defaultConfig, parseRegistryConfig, type RegistryConfig } from "./registry-config.ts";
import { registryFileBytes, registryFiles } from "./registry-paths.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The settings that hold. Throws all mistakes of all files at once. */
export function loadRegistryConfig(io: Pick<HostIo, "readText">, env: Environment): RegistryConfig {
  let config = defaultConfig;
  const mistakes: Diagnostic[] = [];
  for (const file of registryFiles(env)) {
    const read = io.readText(file, registryFileBytes);
    if ("problem" in read) {
      if (read.problem === "ENOENT" || read.problem === "ENOTDIR") continue;
      const code = read.problem === "EACCES" ? "permission" : "invalid_config";
      mistakes.push({ code, message: `${file} can't be read: ${read.problem}` });
      continue;
    }
    const parsed = parseRegistryConfig(new TextEncoder().encode(read.text), file, config);
    mistakes.push(...parsed.diagnostics);
    config = parsed.config;
  }
  if (mistakes.length > 0) throw new ImageError(mistakes);
  return config;
}
