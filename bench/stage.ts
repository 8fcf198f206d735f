/** Everything that is measured, in a folder that every user may read: programs, a policy, bundles, things to work on. */
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileExecutable } from "../scripts/build/executable.ts";
import { buildProbe } from "../test/support/build-probe.ts";

export interface Stage {
  readonly folder: string;
  readonly rauha: string;
  /** A compiled program that does nothing: what starting the runtime costs by itself. */
  readonly empty: string;
  /** The tests' probe, which measures what a command uses. */
  readonly probe: string;
  readonly policy: string;
  readonly bundle: (uid: number) => string;
  readonly sources: string;
  /** A folder of a user's own on a file system in memory: what ext4 takes to make a file differs by half from run to run. */
  readonly memory: (uid: number) => string;
  readonly close: () => void;
}

/** Makes the stage; `close` takes it away. */
export function openStage(): Stage {
  const folder = mkdtempSync(join(tmpdir(), "rauha-bench-"));
  chmodSync(folder, 0o755);
  const memory = existsSync("/dev/shm") ? mkdtempSync("/dev/shm/rauha-bench-") : join(folder, "memory");
  mkdirSync(memory, { recursive: true });
  chmodSync(memory, 0o755);
  const path = (name: string): string => join(folder, name);
  cpSync("dist/rauha", path("rauha"));
  cpSync(buildProbe(), path("probe"));
  writeFileSync(path("empty.ts"), "process.exit(0);\n");
  compileExecutable(path("empty.ts"), path("empty"));
  writeFileSync(path("own.toml"), OWN_POLICY);
  makeSources(path("sources"));
  return {
    folder,
    rauha: path("rauha"),
    empty: path("empty"),
    probe: path("probe"),
    policy: path("own.toml"),
    bundle: (uid) => makeBundle(path(`bundle-${uid}`), uid),
    sources: path("sources"),
    memory: (uid) => {
      const own = join(memory, `${uid}`);
      mkdirSync(own);
      chownSync(own, uid, uid);
      return own;
    },
    close: () => {
      for (const made of [folder, memory]) rmSync(made, { recursive: true, force: true });
    },
  };
}

const OWN_POLICY = `# A policy of a user's own, as one would write it.
extends = "task"

[zone]
name = "own"

[resources]
memory_limit = "2Gi"
pids_max = 256

[limits]
walltime = "10m"
nofile = 4096

[filesystem]
denied_paths = ["/usr/share/doc"]
tmp_size = "512Mi"

[env]
pass = ["LANG", "TERM"]
set = { CI = "true" }
`;

/** C sources to compile: enough of them that a compiler works for a while and opens many headers. */
function makeSources(folder: string): void {
  mkdirSync(folder);
  for (let file = 0; file < 12; file++) {
    const functions = Array.from(
      { length: 150 },
      (_, i) => `int f${file}_${i}(int x) { for (int j = 0; j < ${i + 3}; j++) x = x * ${i + 7} + j; return x; }`,
    );
    const includes = ["stdio", "stdlib", "string", "unistd", "signal", "time"].map((name) => `#include <${name}.h>`);
    writeFileSync(join(folder, `part${file}.c`), `${[...includes, ...functions].join("\n")}\n`);
  }
}

/** A minimal OCI bundle: the host's programs read-only on an empty root, all namespaces, no capabilities. */
function makeBundle(folder: string, uid: number): string {
  mkdirSync(join(folder, "rootfs"), { recursive: true });
  for (const name of ["proc", "dev", "usr", "tmp"]) mkdirSync(join(folder, "rootfs", name), { recursive: true });
  for (const name of ["bin", "lib", "lib64", "sbin"])
    Bun.spawnSync(["ln", "-s", `usr/${name}`, join(folder, "rootfs", name)]);
  const namespaces = ["pid", "ipc", "uts", "mount", "network", ...(uid === 0 ? [] : ["user"])];
  const mapping = [{ containerID: 0, hostID: uid, size: 1 }];
  const config = {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ["/usr/bin/true"],
      env: ["PATH=/usr/bin:/bin"],
      cwd: "/",
      noNewPrivileges: true,
      capabilities: { bounding: [], effective: [], permitted: [] },
    },
    root: { path: "rootfs", readonly: true },
    hostname: "bench",
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755", "size=65536k"] },
      { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] },
      { destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro", "nosuid", "nodev"] },
    ],
    linux: {
      namespaces: namespaces.map((type) => ({ type })),
      ...(uid === 0 ? {} : { uidMappings: mapping, gidMappings: mapping }),
      maskedPaths: ["/proc/kcore", "/proc/keys", "/proc/timer_list"],
      readonlyPaths: ["/proc/sys", "/proc/sysrq-trigger"],
    },
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config, null, 2));
  if (uid !== 0) Bun.spawnSync(["chown", "-R", `${uid}:${uid}`, folder]);
  return folder;
}
