/** Images: a warm start against the host's view and against podman, and pull and unpack of many files against skopeo and umoci. */
import { chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage } from "../test/image/image-builder.ts";
import { tarOf } from "../test/image/tar-builder.ts";
import { toolPath } from "../test/support/tools.ts";
import type { Ratio } from "./budgets.ts";
import { RAUHA } from "./contenders.ts";
import { usageOf } from "./hot-path.ts";
import { type Measured, measure } from "./hyperfine.ts";
import type { Stage } from "./stage.ts";

const IMAGE = "rauha sandbox --image, warm";
const PODMAN = "podman run --rm, the same image";
const filesOfImage = 20_000;

/** A warm start of a busybox image, for this user: to the host's view, and to podman where it works. */
export function imageStartRatios(
  stage: Stage,
  uid: number,
  own: number,
  prefix: readonly string[],
  quick: boolean,
): Ratio[] {
  const layout = join(stage.folder, `busybox-${uid}`);
  const state = join(stage.folder, `images-${uid}`);
  mkdirSync(layout);
  mkdirSync(state);
  buildImage(layout, "1", { layers: [{ archive: busyboxArchive() }], config: { Cmd: ["/bin/true"] } });
  if (uid !== own) for (const path of [layout, state]) chownSync(path, uid, uid);
  const mine = [...prefix, `RAUHA_STORE=${state}/store`];
  run([...mine, stage.rauha, "image", "import", layout, "bench"]);
  run([...mine, stage.rauha, "sandbox", "--image", "bench", "--", "true"]);
  const podman = openPodman(state, `oci:${layout}:1`, prefix);
  const measured = measure(
    [
      { name: RAUHA, command: [stage.rauha, "sandbox", "--", "true"] },
      { name: IMAGE, command: [stage.rauha, "sandbox", "--image", "bench", "--", "true"] },
      { name: PODMAN, command: podman.run("/bin/true") },
    ],
    { warmup: 3, runs: quick ? 8 : 20, rounds: quick ? 2 : 5, prefix: mine },
  );
  podman.close();
  for (const { name, failure } of measured) if (failure !== undefined) console.log(`not measured: ${name}: ${failure}`);
  return [ratioOf(measured, IMAGE, RAUHA, 1.3), ratioOf(measured, IMAGE, PODMAN, 1)].filter(
    ({ ratio }) => !Number.isNaN(ratio),
  );
}

/** Podman with a store of its own; where it is not there or does not work, `measure` says so. */
function openPodman(state: string, image: string, prefix: readonly string[]) {
  const podman = [
    "podman",
    ...["--root", `${state}/podman`, "--runroot", `${state}/run`],
    ...["--cgroup-manager=cgroupfs", "--events-backend=none"],
  ];
  // Limits that it may set anywhere, and the runtime that knows hybrid cgroups.
  const within = ["--runtime=runc", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000"];
  const ask = (...words: string[]) =>
    Bun.spawnSync([...prefix, ...podman, ...words], { cwd: "/", stdin: "ignore", stdout: "pipe", stderr: "ignore" });
  const there = Bun.which("podman") !== null;
  // By an archive: podman makes a name of a layout's path, and takes no capital letters in it.
  const archive = `${state}/podman.tar`;
  if (there) {
    run([...prefix, toolPath("skopeo"), "copy", "-q", image, `docker-archive:${archive}:bench:1`]);
    ask("load", "-q", "-i", archive);
  }
  const id = there ? ask("images", "-q").stdout.toString().trim() : "";
  return {
    run: (...command: string[]) => [...podman, "run", "--rm", "--network=none", ...within, id, ...command],
    // Its store stays mounted otherwise, and can't be removed.
    close: () => there && ask("system", "reset", "--force"),
  };
}

/** Pull and unpack of one layer of many files from a registry on the loopback, each time into new folders; and the memory that it takes. */
export async function pullRatios(stage: Stage, quick: boolean): Promise<Ratio[]> {
  const layout = join(stage.folder, "many");
  mkdirSync(layout);
  const image = buildImage(layout, "1", { layers: [{ archive: manyFiles(filesOfImage) }] });
  const registry = await startRegistry(stage.folder);
  try {
    const name = `${registry.host}/bench:1`;
    run([toolPath("skopeo"), "copy", "-q", "--dest-tls-verify=false", `oci:${image}`, `docker://${name}`]);
    const [ours, theirs]: [number[], number[]] = [[], []];
    for (let round = 0; round < (quick ? 2 : 5); round++) {
      const folder = join(stage.folder, `round-${round}`);
      mkdirSync(folder);
      ours.push(timed(() => pullByRauha(stage, name, `${folder}/store`)));
      theirs.push(timed(() => pullByOthers(name, folder)));
    }
    const [mine, other] = [ours.sort(byValue), theirs.sort(byValue)];
    const what = `pull and unpack of ${filesOfImage} files / skopeo copy and umoci unpack`;
    return [
      {
        what,
        ratio: middle(mine) / middle(other),
        ofMinima: (mine[0] ?? Number.NaN) / (other[0] ?? Number.NaN),
        budget: 0.7,
      },
      memoryRatio(stage),
    ];
  } finally {
    registry.stop();
  }
}

function pullByRauha(stage: Stage, name: string, store: string): void {
  const env = ["env", `RAUHA_STORE=${store}`];
  run([...env, stage.rauha, "image", "pull", name]);
  // The layers are unpacked when something is run for the first time; there is nothing to run in this image.
  Bun.spawnSync([...env, stage.rauha, "sandbox", "--image", name, "--", "/none"], {
    stdout: "ignore",
    stderr: "ignore",
  });
}

function pullByOthers(name: string, folder: string): void {
  run([toolPath("skopeo"), "copy", "-q", "--src-tls-verify=false", `docker://${name}`, `oci:${folder}/layout:1`]);
  run([toolPath("umoci"), "unpack", "--image", `${folder}/layout:1`, `${folder}/bundle`]);
}

/** The largest process while a layer is unpacked: one of 400 MB to one of 20 MB. */
function memoryRatio(stage: Stage): Ratio {
  const peak = (megabytes: number): number => {
    const layout = join(stage.folder, `blob-${megabytes}`);
    const store = join(stage.folder, `blob-store-${megabytes}`);
    mkdirSync(layout);
    const content = crypto.getRandomValues(new Uint8Array(65_536));
    const parts = Array.from({ length: megabytes * 16 }, (_, index) => ({ name: `f${index % 64}`, content }));
    buildImage(layout, "1", { layers: [{ archive: tarOf(parts) }] });
    const prefix = ["env", `RAUHA_STORE=${store}`];
    run([...prefix, stage.rauha, "image", "import", layout, "blob"]);
    return usageOf(stage, [stage.rauha, "sandbox", "--image", "blob", "--", "/none"], prefix).maxRssBytes;
  };
  const [small, large] = [peak(20), peak(400)];
  const what = `largest process while a layer of 400 MB is unpacked (${Math.round(large / 1048576)} MiB) / of 20 MB`;
  return { what, ratio: large / small, ofMinima: large / small, budget: 1.5 };
}

/** Debian's docker-registry on a free port of the loopback. */
async function startRegistry(folder: string): Promise<{ readonly host: string; stop(): void }> {
  const [config, words] = [join(folder, "registry.yml"), join(folder, "registry.words")];
  const storage = join(folder, "registry");
  writeFileSync(
    config,
    `version: 0.1\nstorage: {filesystem: {rootdirectory: ${storage}}}\nhttp: {addr: '127.0.0.1:0', secret: s}\n`,
  );
  const child = Bun.spawn([toolPath("docker-registry"), "serve", config], {
    stdio: ["ignore", "ignore", Bun.file(words)],
    env: { OTEL_TRACES_EXPORTER: "none" },
  });
  for (let tries = 0; tries < 500; tries++) {
    await Bun.sleep(20);
    const host = /listening on (127\.0\.0\.1:[0-9]+)/.exec(readFileSync(words, "utf8"))?.[1];
    if (host !== undefined) return { host, stop: () => child.kill() };
  }
  child.kill();
  throw new Error(`docker-registry does not start: ${readFileSync(words, "utf8")}`);
}

function busyboxArchive(): Uint8Array {
  return tarOf([
    { name: "bin", type: "5", mode: 0o755 },
    { name: "bin/busybox", mode: 0o755, content: readFileSync("/bin/busybox") },
    { name: "bin/true", type: "2", link: "busybox" },
    { name: "etc", type: "5", mode: 0o755 },
  ]);
}

/** Sizes as in a tree of sources: most are small. */
function manyFiles(count: number): Uint8Array {
  const text = readFileSync(import.meta.path, "latin1").repeat(8);
  const parts = Array.from({ length: count }, (_, index) => ({
    name: `usr/share/d${index % 400}/f${index}`,
    content: `${index}\n${text.slice(0, (index * 7919) % 24_000)}`,
  }));
  const folders = Array.from({ length: 400 }, (_, index) => ({ name: `usr/share/d${index}`, type: "5", mode: 0o755 }));
  return tarOf([...["usr", "usr/share"].map((name) => ({ name, type: "5", mode: 0o755 })), ...folders, ...parts]);
}

function ratioOf(measured: readonly Measured[], of: string, to: string, budget: number): Ratio {
  const [one, other] = [of, to].map((name) => measured.find((each) => each.name === name));
  const ratio = (one?.median ?? Number.NaN) / (other?.median ?? Number.NaN);
  return { what: `${of} / ${to}`, ratio, ofMinima: (one?.min ?? Number.NaN) / (other?.min ?? Number.NaN), budget };
}

function timed(work: () => void): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

const byValue = (a: number, b: number): number => a - b;
const middle = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;

function run(command: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...command], {
    cwd: "/",
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString().trim()}`);
}
