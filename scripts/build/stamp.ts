/**
 * Skips work whose inputs have not changed: a stamp is the hash of the inputs' names and contents and of the command's words,
 * kept in build/ beside the outputs.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Glob } from "bun";

/** The files that match any of the patterns, sorted, each once. */
export function filesOf(patterns: readonly string[]): string[] {
  const found = new Set<string>();
  for (const pattern of patterns) for (const file of new Glob(pattern).scanSync({ dot: false })) found.add(file);
  return [...found].sort();
}

/** One hash for these files' names and contents and these words. A file that is missing counts as missing. */
export function hashInputs(files: readonly string[], words: readonly string[]): string {
  const hash = createHash("sha256");
  for (const word of words) hash.update(`word ${word.length}:${word}\n`);
  for (const file of files) {
    const content = existsSync(file) ? readFileSync(file) : undefined;
    hash.update(`file ${file.length}:${file} ${content?.length ?? "missing"}\n`);
    if (content) hash.update(content);
  }
  return hash.digest("hex");
}

/** True when the stamp holds this hash and every output is there. */
export function isFresh(stampFile: string, hash: string, outputs: readonly string[]): boolean {
  return (
    existsSync(stampFile) &&
    readFileSync(stampFile, "utf8").trim() === hash &&
    outputs.every((file) => existsSync(file))
  );
}

/** Writes a file so that a reader sees the old content or the new, never a part. Leaves an unchanged file alone. */
export function writeWhole(file: string, content: string): void {
  if (existsSync(file) && readFileSync(file, "utf8") === content) return;
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, file);
}
