/**
 * Keeps files small: caps on the lines of a file, of the launcher as a whole, and on the median and the 90th percentile.
 * Generated files (`*.gen.*`) and the kernel's type dump (vmlinux.h) don't count.
 *
 *   bun scripts/check-sizes.ts [ROOT]
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";

export const TYPESCRIPT_LINES = 300;
export const C_LINES = 400;
/** Lines of code: comments and blank lines of the launcher are free (docs/adr/0012, 0050). */
export const LAUNCHER_LINES = 3400;
export const SRC_MEDIAN = 100;
export const SRC_P90 = 200;

export interface Sizes {
  readonly breaches: readonly string[];
  readonly facts: readonly string[];
}

/** Measures the tree at `root`. */
export function checkSizes(root: string): Sizes {
  const typescript = linesOf(root, "{src,scripts,bench,test}/**/*.ts");
  const native = linesOf(root, "{native,guest}/**/*.{c,h}");
  const probes = linesOf(root, "test/**/*.{c,h}");
  const launcher = sum(linesOf(root, "native/launcher/*.{c,h}", codeLines));
  const src = [...linesOf(root, "src/**/*.ts").values()];
  const median = quantile(src, 0.5);
  const p90 = quantile(src, 0.9);
  const breaches = [...overCap(typescript, TYPESCRIPT_LINES), ...overCap(native, C_LINES), ...overCap(probes, C_LINES)];
  if (launcher > LAUNCHER_LINES)
    breaches.push(`native/launcher has ${launcher} lines of code, at most ${LAUNCHER_LINES}`);
  if (median > SRC_MEDIAN) breaches.push(`the median file of src has ${median} lines, at most ${SRC_MEDIAN}`);
  if (p90 > SRC_P90) breaches.push(`the 90th percentile of src is ${p90} lines, at most ${SRC_P90}`);

  const source = sum(linesOf(root, "src/**/*.ts")) + sum(native);
  const tests = sum(linesOf(root, "test/**/*.{ts,c,h,sh}"));
  const facts = [
    `src: ${src.length} files, median ${median}, p90 ${p90}, largest ${Math.max(0, ...src)} lines`,
    `launcher: ${launcher} lines of code (cap ${LAUNCHER_LINES})`,
    `tests: ${tests} lines, ${source > 0 ? (tests / source).toFixed(2) : "-"} for each line of source`,
  ];
  return { breaches, facts };
}

function allLines(text: string): number {
  return text.split("\n").length - 1;
}

/** Lines that hold more than a comment. */
function codeLines(text: string): number {
  const bare = text.replace(/\/\*[\s\S]*?\*\//g, "");
  return bare.split("\n").filter((line) => line.trim() !== "").length;
}

function linesOf(root: string, pattern: string, count = allLines): Map<string, number> {
  const lines = new Map<string, number>();
  for (const file of new Glob(pattern).scanSync(root)) {
    if (/\.gen\.|(^|\/)vmlinux\.h$/.test(file)) continue;
    lines.set(file, count(readFileSync(join(root, file), "utf8")));
  }
  return lines;
}

function overCap(lines: ReadonlyMap<string, number>, cap: number): string[] {
  return [...lines]
    .filter(([, count]) => count > cap)
    .map(([file, count]) => `${file} has ${count} lines, at most ${cap}`)
    .sort();
}

function sum(lines: ReadonlyMap<string, number>): number {
  return [...lines.values()].reduce((total, count) => total + count, 0);
}

/** The smallest value that this share of the values does not exceed; 0 for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

if (import.meta.main) {
  const { breaches, facts } = checkSizes(process.argv[2] ?? `${import.meta.dir}/..`);
  for (const fact of facts) console.log(`sizes: ${fact}`);
  for (const breach of breaches) console.error(`sizes: ${breach}`);
  process.exit(breaches.length > 0 ? 1 : 0);
}
