/**
 * Runs every static check and reports all that fail, not the first. With --fix it rewrites the sources in the house style instead;
 * with --junit the outcome is written to a file too, for the count of all tests.
 *
 *   bun scripts/check.ts [--fix | --junit FILE]
 */
import { writeFileSync } from "node:fs";
import { filesOf } from "./build/stamp.ts";

interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

const BUN = process.execPath;
const BIOME = "node_modules/@biomejs/biome/bin/biome";
const TSC = "node_modules/typescript/bin/tsc";
/** Releases of clang-format disagree in details: the house style is what this one writes. */
const CLANG_FORMAT = 14;

function checks(): Step[] {
  const generated = (file: string): boolean => /\.gen\.|(^|\/)vmlinux\.h$/.test(file);
  const native = filesOf(["{native,guest}/**/*.{c,h}", "test/**/*.{c,h}"]).filter((file) => !generated(file));
  const shell = filesOf(["scripts/**/*.sh", "test/**/*.sh"]);
  return [
    { name: "biome", command: [BUN, BIOME, "ci", "--colors=off", "--error-on-warnings", "."] },
    { name: "types", command: [BUN, TSC, "--project", "."] },
    { name: "layers", command: [BUN, "scripts/check-layers.ts"] },
    { name: "sizes", command: [BUN, "scripts/check-sizes.ts"] },
    { name: "lockfile", command: [BUN, "scripts/check-lockfile.ts"] },
    { name: "generated", command: [BUN, "scripts/generate.ts", "--check"] },
    { name: "c style", command: ["clang-format", "--dry-run", "--Werror", ...native] },
    { name: "shell", command: ["shellcheck", ".ci/run", ...shell] },
  ];
}

function fixes(): Step[] {
  const native = filesOf(["{native,guest,test}/**/*.{c,h}"]).filter((file) => !/\.gen\.|vmlinux\.h$/.test(file));
  return [
    { name: "biome", command: [BUN, BIOME, "check", "--colors=off", "--write", "."] },
    { name: "c style", command: ["clang-format", "-i", ...native] },
  ];
}

/** Runs one step; true when it passed, or when what would judge it is a release that judges differently. */
function run({ name, command }: Step): boolean {
  const start = performance.now();
  const isClang = command[0] === "clang-format";
  if (isClang && command.every((word) => !word.endsWith(".c"))) return true;
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const words = `${stdout}${stderr}`.trim();
  const advisory = exitCode !== 0 && isClang && clangFormatRelease() !== CLANG_FORMAT;
  const verdict = exitCode === 0 ? "ok" : advisory ? "differs (another clang-format release; not counted)" : "FAILED";
  console.log(`check: ${name.padEnd(10)} ${verdict} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  if (words && ((exitCode !== 0 && !advisory) || name === "sizes")) console.log(words);
  return exitCode === 0 || advisory;
}

function clangFormatRelease(): number {
  const { stdout } = Bun.spawnSync(["clang-format", "--version"]);
  return Number(/version (\d+)/.exec(stdout.toString())?.[1] ?? 0);
}

function junit(all: readonly Step[], bad: readonly Step[]): string {
  const cases = all.map((step) => {
    const verdict = bad.includes(step) ? "><failure /></testcase>" : " />";
    return `<testcase name="${step.name}" classname="" file="scripts/check.ts"${verdict}`;
  });
  return `<testsuites>\n${cases.join("\n")}\n</testsuites>\n`;
}

process.chdir(`${import.meta.dir}/..`);
const steps = process.argv.includes("--fix") ? fixes() : checks();
const failed = steps.filter((step) => !run(step));
const report = process.argv.indexOf("--junit");
if (report > 0) writeFileSync(String(process.argv[report + 1]), junit(steps, failed));
if (failed.length > 0) {
  console.error(`check: ${failed.length} failed: ${failed.map(({ name }) => name).join(", ")}`);
  process.exit(1);
}
