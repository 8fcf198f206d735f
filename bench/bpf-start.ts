/**
 * What it costs `rauha sandbox -- true` to enter a zone in the pinned maps and to take it out again: with them and without, in turns, on
 * any kernel that has BPF maps. Only the maps are pinned (pin-maps.c), on a bpffs in a mount namespace of this program's own; the programs,
 * which many kernels refuse, are not, so that what they themselves cost is not in the numbers (bench/bpf.ts has that).
 *
 *   chrt -f 10 node_modules/.bin/bun bench/bpf-start.ts [PAIRS]      as root
 */
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const inside = "RAUHA_BENCH_INSIDE";
const pins = "/sys/fs/bpf/rauha";
const hidden = "/sys/fs/bpf/hidden";
const repository = join(import.meta.dir, "..");
const pairs = Number(process.argv[2] ?? 300);

/** This program once more, where /sys/fs/bpf is a bpffs that nobody else sees. */
function enterOwnMounts(): never {
  const script = 'mount -t bpf bpf /sys/fs/bpf && exec "$@"';
  const command = ["unshare", "--mount", "sh", "-c", script, "sh", process.execPath, import.meta.path, String(pairs)];
  const { exitCode } = Bun.spawnSync(command, {
    env: { ...process.env, [inside]: "1" },
    stdio: ["ignore", "inherit", "inherit"],
  });
  process.exit(exitCode);
}

function must(command: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...command]);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
}

function pinMaps(): void {
  const folder = mkdtempSync(join(tmpdir(), "rauha-bench-"));
  const program = join(folder, "pin-maps");
  must(["gcc", "-O1", join(import.meta.dir, "pin-maps.c"), "-o", program, "-lbpf", "-lelf", "-lz"]);
  must([program, join(repository, "build/rauha.bpf.o"), pins]);
  rmSync(folder, { recursive: true });
}

const rauha = join(repository, "dist/rauha");

function start(): number {
  const began = performance.now();
  const { exitCode } = Bun.spawnSync([rauha, "sandbox", "--json", "--", "true"], {
    cwd: "/",
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ms = performance.now() - began;
  if (exitCode !== 0) throw new Error(`rauha sandbox: exit code ${exitCode}`);
  return ms;
}

const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b);
const quantile = (values: readonly number[], q: number) =>
  sorted(values)[Math.floor((values.length - 1) * q)] ?? Number.NaN;

/** How many calls of bpf(2) one start makes; null without strace. */
function countCalls(): number | null {
  if (Bun.which("strace") === null) return null;
  const { stderr } = Bun.spawnSync(["strace", "-f", "-qq", "-e", "trace=bpf", rauha, "sandbox", "--", "true"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  return stderr.toString().match(/\bbpf\(/g)?.length ?? 0;
}

function run(): void {
  pinMaps();
  const times = { without: [] as number[], with: [] as number[] };
  for (let pair = -5; pair < pairs; pair++) {
    // Whoever comes second finds what the first one left behind: they take turns at that as well.
    for (const state of pair % 2 === 0 ? (["without", "with"] as const) : (["with", "without"] as const)) {
      if (state === "without") renameSync(pins, hidden);
      const ms = start();
      if (state === "without") renameSync(hidden, pins);
      if (pair >= 0) times[state].push(ms);
    }
  }
  const differences = times.with.map((ms, index) => ms - (times.without[index] ?? Number.NaN));
  console.log(`rauha sandbox -- true, ${pairs} pairs, ms`);
  for (const [name, values] of [...Object.entries(times), ["difference", differences] as const]) {
    const columns = [0, 0.1, 0.25, 0.5].map((q) => quantile(values, q).toFixed(2).padStart(8));
    console.log(`${name.padEnd(12)} min, p10, p25, median: ${columns.join("")}`);
  }
  console.log(`calls of bpf(2): ${countCalls() ?? "unknown: no strace"}`);
}

if (process.env[inside] === "1") run();
else enterOwnMounts();
