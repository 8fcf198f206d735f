/** Folders for tests: of the user who runs them, readable for all, gone afterwards. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const made: string[] = [];

/** A new empty folder; it is removed when the run is over. */
export function makeFolder(name = "folder"): string {
  const folder = mkdtempSync(join(tmpdir(), `rauha-test-${name}-`));
  chmodSync(folder, 0o755);
  made.push(folder);
  return folder;
}

/** Writes files below a folder, `name: content`; a name that ends with a slash is an empty folder. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(name.endsWith("/") ? path : dirname(path), { recursive: true });
    if (!name.endsWith("/")) writeFileSync(path, content, { mode: /^#!/.test(content) ? 0o755 : 0o644 });
  }
  return folder;
}

/**
 * Called once for the whole run, by the preloaded `clean-up.ts`: a hook of this module would belong to the first test file that
 * imports it, and the folders of all others would stay.
 */
export function removeFolders(): void {
  for (const folder of made.splice(0)) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Directories that their owner may not enter, as unpacked images have them.
      Bun.spawnSync(["chmod", "-R", "u+rwx", folder], { stderr: "ignore" });
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
