/**
 * Compiles native/bpf: the programs into an object, the object into its loader (a static program on libbpf), and the loader into text
 * that the executable embeds: compressed, since only `rauha setup` and `rauha doctor` unpack it.
 */
import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { BuildError } from "./build-error.ts";
import { filesOf, hashInputs, isFresh, writeWhole } from "./stamp.ts";

const OBJECT = "build/rauha.bpf.o";
const LOADER = "dist/bpf-loader";
const EMBEDDED = "build/bpf-loader.b64.txt";
const STAMP = "build/bpf-loader.stamp";
const SOURCES = "native/bpf/**/*.{c,h}";

// biome-ignore format: lists of words
const PROGRAM_FLAGS = [
  "-std=gnu11", "-O2", "-g", "-target", "bpf", "-mcpu=v3", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter",
  "-Wno-missing-declarations",
];
// biome-ignore format: lists of words
const LOADER_FLAGS = [
  "-std=gnu11", "-Os", "-static", "-fstack-protector-strong", "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra",
  "-Werror", "-Wshadow", "-Wconversion", "-Wsign-conversion", "-Wstrict-prototypes",
];
const LINK = ["-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,--gc-sections", "-s"];

/** Builds the loader and its text when their sources, a compiler or the flags changed. */
export function buildBpf(options: { readonly force: boolean }): { readonly skipped: boolean } {
  const clang = toolOf("clang");
  const strip = toolOf("llvm-strip");
  const gcc = toolOf("gcc");
  const versions = [clang, gcc].map((tool) => outputOf([tool, "--version"]).split("\n")[0] ?? "");
  toolOf("pkg-config");
  const libbpf = outputOf(["pkg-config", "--modversion", "libbpf", "libelf"]);
  // What a static libelf needs differs: since 0.189 it needs zstd too.
  const libraries = outputOf(["pkg-config", "--static", "--libs", "libbpf", "libelf"]).trim().split(/\s+/);
  const flags = [...PROGRAM_FLAGS, ...LOADER_FLAGS, ...libraries, ...LINK];
  const hash = hashInputs(filesOf([SOURCES]), [...versions, libbpf, ...flags]);
  if (!options.force && isFresh(STAMP, hash, [LOADER, EMBEDDED])) return { skipped: true };
  mkdirSync("build", { recursive: true });
  mkdirSync("dist", { recursive: true });
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  const paths = [`-ffile-prefix-map=${process.cwd()}=.`];
  // The machine's own <asm/types.h> is not on the search path of a compiler for BPF.
  const headers = ["-idirafter", `/usr/include/${machine}-linux-gnu`];
  make(OBJECT, [clang, ...PROGRAM_FLAGS, ...paths, ...headers, "-c", "native/bpf/rauha.bpf.c"]);
  // Without DWARF; BTF, by which the kernel checks the programs, stays.
  outputOf([strip, "-g", OBJECT]);
  const sources = filesOf(["native/bpf/loader/*.c"]);
  const object = `-DRAUHA_BPF_OBJECT="${OBJECT}"`;
  make(LOADER, [gcc, ...LOADER_FLAGS, ...paths, object, ...sources, ...libraries, ...LINK]);
  const program = readFileSync(LOADER);
  writeWhole(EMBEDDED, gzipSync(program, { level: 9 }).toString("base64"));
  writeWhole(STAMP, `${hash}\n`);
  console.log(
    `build: ${LOADER} (${versions[0]}, libbpf ${libbpf.trim().split("\n")[0]}, ${Math.ceil(program.length / 1024)} KiB)`,
  );
  return { skipped: false };
}

function toolOf(name: string): string {
  const path = Bun.which(name);
  if (path === null) throw new BuildError(`${name} is not in PATH; scripts/bootstrap.sh build installs it`);
  return path;
}

function outputOf(command: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { stdout: "pipe", stderr: "pipe" });
  if (exitCode !== 0) throw new BuildError(`${command.join(" ")}:\n${stderr.toString().trimEnd()}`);
  return stdout.toString();
}

/** Runs a compiler to make a file: under another name first. */
function make(path: string, command: readonly string[]): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    outputOf([...command, "-o", temporary]);
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}
