/**
 * Zones made by hand, for tests of the BPF programs alone: a cgroup, an entry in the maps, a mount namespace. No user namespace, no
 * seccomp, no Landlock, no loss of capabilities: the task is the host's root, and nothing but the programs holds it.
 */
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressPuts } from "../../../src/bpf/address-rules.ts";
import type { Denial } from "../../../src/bpf/denial.ts";
import { zonePuts } from "../../../src/bpf/zone-entry.ts";
import { bootNs } from "../../../src/linux/boot-clock.ts";
import { levelsOf, unifiedMount } from "../../../src/linux/bpf/cgroup-place.ts";
import { putAll } from "../../../src/linux/bpf/puts.ts";
import { forgetZone, readDenials, readZone } from "../../../src/linux/bpf/registry.ts";
import type { BpfState } from "../../../src/linux/bpf/state.ts";
import type { Policy } from "../../../src/run/policy/policy.ts";
import { type Answer, type Attempt, attemptWords, parseAnswers, probePath } from "../../support/probe.ts";
import { policyOf } from "./policies.ts";

/** This process, as the maker of an entry. */
export function ownerNow(): { readonly pid: number; readonly madeNs: bigint } {
  return { pid: process.pid, madeNs: bootNs() };
}

let made = 0;

/** A namespace of the zone's, kept by a process in no zone. */
async function hold(folder: string, { setup = ":", unshare = [] }: Extra): Promise<Bun.Subprocess> {
  const script = `mount -t tmpfs zone ${folder} && ${setup} && echo ready && exec sleep 600`;
  const command = ["unshare", "--mount", ...unshare, "sh", "-c", script];
  const holder = Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] });
  const reader = holder.stdout.getReader();
  const { done } = await reader.read();
  if (done) throw new Error(`the zone's namespaces were not made: ${setup}`);
  reader.releaseLock();
  return holder;
}

export interface Extra {
  /** Shell that runs in the zone's mount namespace before anything is in the zone. */
  readonly setup?: string;
  /** More of unshare(1)'s options. */
  readonly unshare?: readonly string[];
}

export class HandMadeZone {
  readonly state: BpfState;
  readonly name: string;
  readonly cgroup: string;
  readonly id: bigint;
  /** A directory of the host; in the zone's mount namespace a tmpfs of the zone's own is mounted on it. */
  readonly folder: string;
  readonly #holder: Bun.Subprocess;
  readonly #net: boolean;
  readonly #running: Bun.Subprocess[] = [];
  #seen = 0;

  static async make(
    state: BpfState,
    name: string,
    policy: Policy = policyOf(),
    extra: Extra = {},
  ): Promise<HandMadeZone> {
    const folder = mkdtempSync("/var/tmp/bpf-zone-");
    const named = { ...extra, setup: (extra.setup ?? ":").replaceAll("FOLDER", folder) };
    return new HandMadeZone(
      state,
      name,
      policy,
      folder,
      await hold(folder, named),
      extra.unshare?.includes("--net") ?? false,
    );
  }

  private constructor(
    state: BpfState,
    name: string,
    policy: Policy,
    folder: string,
    holder: Bun.Subprocess,
    net: boolean,
  ) {
    this.state = state;
    this.name = name;
    this.folder = folder;
    this.#holder = holder;
    this.#net = net;
    const mount = unifiedMount();
    this.cgroup = join(mount, `bpf-test-${process.pid}-${made++}`);
    mkdirSync(this.cgroup);
    this.id = BigInt(statSync(this.cgroup).ino);
    const owner = ownerNow();
    const levels = levelsOf(this.cgroup, mount);
    const named = { id: `id-of-${name}`, name, contactName: name };
    const entry = { ...named, cgroup: this.id, levels, policy, createdMs: Date.now(), owner, uid: 0 };
    const problem = putAll(state, zonePuts(entry, addressPuts(policy.network, this.id)));
    if (problem !== undefined) throw new Error(`${problem.map}: errno ${problem.errno}`);
  }

  /** Starts a command as the zone's. The first one arms the zone. */
  spawn(command: readonly string[], fds: readonly number[] = []): Bun.Subprocess<"ignore", "pipe", "pipe"> {
    const script = `echo 0 >${this.cgroup}/cgroup.procs && exec "$@"`;
    const enter = ["nsenter", "-t", String(this.#holder.pid), "--mount", ...(this.#net ? ["--net"] : [])];
    const stdio = ["ignore", "pipe", "pipe", ...fds];
    const child = Bun.spawn([...enter, "sh", "-c", script, "sh", ...command], { stdio } as never);
    this.#running.push(child);
    return child as unknown as Bun.Subprocess<"ignore", "pipe", "pipe">;
  }

  /** What a command of the zone's prints, and how it ends. */
  async run(
    command: readonly string[],
    fds: readonly number[] = [],
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = this.spawn(command, fds);
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    return { code: await child.exited, stdout: stdout.trim(), stderr: stderr.trim() };
  }

  /** Runs attempts of the probe to their end. */
  async try(attempts: readonly Attempt[], fds: readonly number[] = []): Promise<Answer[]> {
    const { stdout, stderr } = await this.run([probePath, ...attemptWords(attempts)], fds);
    const answers = parseAnswers(stdout);
    if (answers.length !== attempts.length) throw new Error(`${answers.length} answers: ${stdout} ${stderr}`);
    return answers;
  }

  /** The outcomes alone. */
  async outcomes(attempts: readonly Attempt[], fds: readonly number[] = []): Promise<string[]> {
    return (await this.try(attempts, fds)).map(({ outcome }) => outcome);
  }

  /** What was denied in the zone since the last call of this. */
  denials(): readonly Denial[] {
    const zone = readZone(this.state, this.id);
    if (zone === undefined) throw new Error(`${this.name} is not in the maps`);
    const { denials } = readDenials(this.state, zone);
    const fresh = denials.slice(this.#seen);
    this.#seen = denials.length;
    return fresh;
  }

  /** A process of the zone that stays, once it runs the probe in the zone and has made its attempts. */
  async resident(attempts: readonly Attempt[]): Promise<number> {
    const child = this.spawn([probePath, ...attemptWords([...attempts, "sleep 600"])]);
    // The zone's process is the one that was spawned: every step is an exec.
    for (let tries = 0; tries < 6000; tries++) {
      const lines = commandLine(child.pid);
      if (child.exitCode !== null || child.signalCode !== null) await sayEnd(this.name, child);
      const inside = readFileSync(join(this.cgroup, "cgroup.procs"), "utf8").trim() === String(child.pid);
      if (inside && lines.startsWith(probePath)) {
        const answers = await firstAnswers(child, attempts.length);
        const failed = answers.filter(({ outcome }) => outcome !== "OK");
        if (failed.length > 0) throw new Error(JSON.stringify(failed));
        return child.pid;
      }
      await Bun.sleep(20);
    }
    throw new Error(`${this.name} did not start`);
  }

  async end(): Promise<void> {
    for (const child of [...this.#running, this.#holder]) {
      child.kill("SIGKILL");
      await child.exited;
    }
    const zone = readZone(this.state, this.id);
    if (zone !== undefined) forgetZone(this.state, zone);
    for (let tries = 0; tries < 200; tries++) {
      try {
        rmdirSync(this.cgroup);
        break;
      } catch {
        await Bun.sleep(10);
      }
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The arguments of a process; none when it has ended, nor in the middle of execve(2). */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

/** Throws how a process ended that was to stay. */
async function sayEnd(zone: string, child: Bun.Subprocess<"ignore", "pipe", "pipe">): Promise<never> {
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  const how = child.signalCode ?? `exit code ${child.exitCode}`;
  throw new Error(`the resident of ${zone} ended (${how}) instead of staying: ${stderr.trim()} ${stdout.trim()}`);
}

async function firstAnswers(child: Bun.Subprocess<"ignore", "pipe", "pipe">, count: number): Promise<Answer[]> {
  let text = "";
  if (count === 0) return [];
  const reader = child.stdout.getReader();
  while (parseAnswers(text).length < count) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the resident ended: ${text}`);
    text += new TextDecoder().decode(value);
  }
  reader.releaseLock();
  return parseAnswers(text);
}

/** Runs attempts of the probe outside of every zone. */
export function tryOnHost(attempts: readonly Attempt[], fds: readonly number[] = []): string[] {
  const { stdout } = Bun.spawnSync([probePath, ...attemptWords(attempts)], {
    stdio: ["ignore", "pipe", "pipe", ...fds],
  } as never) as unknown as { stdout: Buffer };
  return parseAnswers(stdout.toString()).map(({ outcome }) => outcome);
}

/** A directory of another mount namespace as a descriptor of this process: what leaks. */
export function leak(pid: number, path: string): number {
  return openSync(`/proc/${pid}/root${path}`, "r");
}

export function writeIn(pid: number, path: string, text: string): void {
  writeFileSync(`/proc/${pid}/root${path}`, text);
}
