/**
 * Random options on real zones: whatever is asked for, there is a result that says what became of it, an exit code that fits, and where
 * nothing ran, who asked for what. RAUHA_FUZZ_SEED repeats a run, RAUHA_FUZZ_SECONDS tries new ones for that long.
 */
import { expect, test } from "bun:test";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fuzzTimeoutMs, seeds } from "../fuzz/seeds.ts";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { patient } from "../support/identity.ts";
import { parseResult, rauha } from "../support/rauha.ts";
import { Random } from "../unit/policy/random.ts";

const folder = writeFiles(makeFolder("random"), { "repo/f": "x", "repo/sub/g": "y", file: "z" });
symlinkSync("repo", join(folder, "link"));

const absolute = [
  ...[
    "/",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/etc",
    "/etc/passwd",
    "/proc",
    "/proc/self",
    "/dev",
    "/dev/null",
    "/sys",
    "/run",
  ],
  ...[
    "/nonexistent",
    "/tmp/x",
    "/a",
    "/a/b",
    "/a/b/c",
    "/home",
    "/var",
    "/dev/shm",
    "/proc/sys",
    "/etc/x",
    "/bin",
    "/lib",
  ],
];
const anywhere = [...absolute, "repo", "file", "link", ".", ".."];
/** What is copied where overlayfs can't be has to be little. */
const small = ["repo", "link", "file", "/nonexistent", "/proc", "/sys"];

const options: readonly ((random: Random) => string[])[] = [
  (r) => ["--ro-bind", r.pick(anywhere)],
  (r) => ["--ro-bind", `${r.pick(anywhere)}:${r.pick(absolute)}`],
  (r) => ["--rw-bind", `${r.pick(["repo", "file", "link", "/nonexistent"])}:${r.pick(absolute)}`],
  (r) => ["--overlay-bind", `${r.pick(small)}:${r.pick(absolute)}`],
  (r) => ["--tmpfs", r.pick(absolute)],
  (r) => ["--dir", r.pick(absolute)],
  (r) => ["--symlink", `${r.pick(anywhere)}:${r.pick(absolute)}`],
  (r) => ["--repo", r.pick(small)],
  (r) => ["--repo-mode", r.pick(["rw", "ro", "overlay"])],
  (r) => ["--workdir", r.pick(absolute)],
  (r) => ["--user", r.pick(["0", "1000", "0:0", "65534", "5:7"])],
  (r) => ["--memory", r.pick(["6M", "20M", "1G"])],
  (r) => ["--pids", r.pick(["1", "2", "10"])],
  (r) => ["--limit-fsize", r.pick(["0", "1K"])],
  (r) => ["--limit-as", r.pick(["1M", "50M", "1G"])],
  (r) => ["--limit-nofile", r.pick(["32", "1000"])],
  (r) => ["--timeout", r.pick(["1ms", "50ms", "2s"])],
  (r) => ["--network", r.pick(["none", "filtered", "host"])],
  (r) => ["--policy", r.pick(["task", "strict", "build", "privileged"])],
  (r) => ["--max-output", r.pick(["0", "10"])],
  (r) => ["--on-success", r.pick(["keep", "discard"])],
  () => ["--allow-domain", "x.example"],
  () => ["--env-pass", "NOT_SET"],
  () => ["--patch", join(folder, "patch")],
  () => ["--stream"],
  () => ["-i"],
];

const commands: readonly string[][] = [
  ["true"],
  ["sh", "-c", "echo hi; exit 3"],
  ["/nonexistent"],
  ["/etc/passwd"],
  ["sh", "-c", "touch a b; mkdir c"],
  ["sh", "-c", "kill -9 $$"],
  ["cat", "/proc/self/mountinfo"],
];

async function tryOnce(seed: number): Promise<void> {
  const random = new Random(seed);
  const flags = Array.from({ length: random.int(1, 5) }, () => random.pick(options)(random)).flat();
  const place = join(folder, `result-${seed}.json`);
  const args = ["sandbox", "--result", place, ...flags, "--", ...random.pick(commands)];
  const { exitCode, signal, stderr } = await rauha(args, {
    cwd: folder,
    env: { XDG_STATE_HOME: join(folder, "state") },
  });
  const said = `RAUHA_FUZZ_SEED=${seed} repeats this: ${args.join(" ")}\n${stderr}`;
  expect(signal, said).toBeNull();
  expect(stderr, said).not.toMatch(/internal error|undefined|NaN|\[object|^\s+at /m);
  const { status, error, exit_code } = parseResult(readFileSync(place, "utf8"), stderr);
  if (status === "succeeded") expect([0, 1], said).toContain(exitCode ?? -1);
  if (status === "timed_out") expect(exitCode, said).toBe(124);
  if (status === "failed" && exit_code !== null) expect(exitCode, said).toBe(exit_code);
  if (status === "runtime_error") {
    expect([2, 125, 126, 127], said).toContain(exitCode ?? -1);
    expect(error?.code, said).not.toBe("internal");
    expect(error?.origin ?? "", said).not.toBe("");
    expect(stderr, said).toContain("rauha: ");
  } else expect(error?.code ?? "", said).not.toBe("internal");
}

test(
  "random options",
  async () => {
    for (const seed of seeds(100)) await tryOnce(seed);
  },
  patient(fuzzTimeoutMs),
);
