/**
 * Finds a C compiler that makes static programs: musl's where it is installed (small, quick to start), else the system's gcc.
 * Where the start files allow it the program is position independent as well, so that its addresses are random.
 */
import { existsSync } from "node:fs";
import { BuildError } from "./build-error.ts";

export interface CCompiler {
  readonly name: string;
  readonly command: string;
  readonly version: string;
  /** Flags of both compiling and linking. */
  readonly flags: readonly string[];
  /** Objects that link before and after the program's own. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const KERNEL_HEADERS = "/usr/include";

/** The compiler to use; RAUHA_CC forces one by name. */
export function findCCompiler(): CCompiler {
  const wanted = process.env["RAUHA_CC"];
  for (const name of wanted ? [wanted] : ["musl-gcc", "gcc"]) {
    const command = Bun.which(name);
    if (command) return name === "musl-gcc" ? muslCompiler(command) : systemCompiler(name, command);
  }
  throw new BuildError(
    `no C compiler: ${wanted ?? "musl-gcc or gcc"} is not in PATH; scripts/bootstrap.sh build installs it`,
  );
}

function muslCompiler(command: string): CCompiler {
  const arch = process.arch === "arm64" ? "aarch64" : "x86_64";
  const library = `/usr/lib/${arch}-linux-musl`;
  // musl's own header directory has no kernel headers: the system's come last, so that they never replace musl's.
  const headers = ["-idirafter", KERNEL_HEADERS, "-idirafter", `${KERNEL_HEADERS}/${arch}-linux-gnu`];
  const base = { name: "musl-gcc", command, version: versionOf(command) };
  const start = `${library}/rcrt1.o`;
  if (!existsSync(start)) return { ...base, flags: ["-static", ...headers], before: [], after: [] };
  // Debian's specs for musl-gcc do not know -static-pie: name its start files.
  return {
    ...base,
    flags: ["-static", "-fPIE", "-Wl,-pie,--no-dynamic-linker,-z,text", "-nostartfiles", ...headers],
    before: [start, `${library}/crti.o`, pathOf(command, "crtbeginS.o")],
    after: [pathOf(command, "crtendS.o"), `${library}/crtn.o`],
  };
}

function systemCompiler(name: string, command: string): CCompiler {
  return { name, command, version: versionOf(command), flags: ["-static-pie", "-fPIE"], before: [], after: [] };
}

function versionOf(command: string): string {
  return Bun.spawnSync([command, "--version"]).stdout.toString().split("\n")[0] ?? "";
}

function pathOf(command: string, file: string): string {
  return Bun.spawnSync([command, `-print-file-name=${file}`])
    .stdout.toString()
    .trim();
}
