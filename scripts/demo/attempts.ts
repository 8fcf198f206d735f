/** The hostile attempts: how each is run, what it says itself, and what the host says of it afterwards. */
import { existsSync } from "node:fs";
import { type Result, sandbox } from "./rauha.ts";
import { countProcesses, type Stage } from "./stage.ts";

export interface Attempt {
  readonly what: string;
  /** What the task itself saw. */
  readonly inside: string;
  /** What can be seen on the host. */
  readonly outside: string;
  readonly contained: boolean;
}

const MEBIBYTE = 1024 * 1024;
const SCRIPT = `${process.cwd()}/scripts/demo`;
const HOSTILE = `${SCRIPT}/hostile.sh`;

/** What the script says last, when it has tried everything. */
const LAST = "everything was tried";

/** A hostile run with limits that suit a demonstration. */
function hostile(stage: Stage, flags: readonly string[], ...words: readonly string[]): Promise<Result> {
  return sandbox({
    flags: ["--repo-path", SCRIPT, "--repo-mode", "ro", ...flags],
    command: ["bash", HOSTILE, ...words],
    env: { HOME: stage.home, RAUHA_DEMO_SECRET: stage.secret },
    openFile: stage.openFile,
  });
}

/** Everything that one zone is enough for: each line of the script's is one attempt. */
export async function spy(stage: Stage): Promise<Attempt[]> {
  const { home, victim, victimMarker, port, planted } = stage;
  const half = victimMarker.lastIndexOf("-");
  const word = [victimMarker.slice(0, half), victimMarker.slice(half + 1)];
  const words = [home, String(victim), ...word, String(port), planted];
  const result = await hostile(stage, ["--timeout", "30s"], "spy", ...words);
  await Bun.sleep(50); // a connection that was made would be counted by now
  const lines = result.stdout.split("\n").filter((line) => line.includes("\t"));
  if (!lines.pop()?.startsWith(LAST)) throw new Error(`the hostile script did not reach its end:\n${result.stderr}`);
  return lines.map((line) => {
    const [what = "", verdict = "", saw = ""] = line.split("\t");
    const { fact, unharmed } = lookOutside(stage, what, result);
    return { what, inside: `${verdict}: ${saw}`, outside: fact, contained: verdict === "refused" && unharmed };
  });
}

/** What a copy-on-write workspace is for: the task may do its worst to the project's files, and the host's stay as they are. */
export async function vandalise(stage: Stage): Promise<Attempt> {
  const { project, isProjectWhole } = stage;
  const result = await sandbox({
    flags: ["--repo-path", project, "--on-success", "discard", "--timeout", "20s"],
    command: ["bash", "-c", "echo ruined >notes.txt; echo '#!/bin/sh' >new.sh; rm -rf src; ls | wc -l"],
  });
  const unharmed = isProjectWhole();
  return {
    what: "overwrites and deletes the project",
    inside: `${ending(result)}, in its copy`,
    outside: unharmed ? `untouched; ${result.changes.length} changes listed` : "the project was changed",
    contained: unharmed && result.changes.length >= 3,
  };
}

/** The host's side of an attempt. */
function lookOutside(stage: Stage, what: string, result: Result): { fact: string; unharmed: boolean } {
  const say = (unharmed: boolean, good: string, bad: string) => ({ fact: unharmed ? good : bad, unharmed });
  if (what.includes("ssh key"))
    return say(!result.stdout.includes(stage.key), "the key is in no output", "the key leaked");
  if (what.includes("/usr")) return say(!existsSync(stage.planted), "no such file on the host", "the file is there");
  if (what.includes("kills")) return say(stage.isVictimAlive(), "it is alive", "it is dead");
  if (what.includes("server")) return say(stage.connections() === 0, "it saw no connection", "it was reached");
  if (what.includes("environment"))
    return say(!result.stdout.includes(stage.secret), "the value is in no output", "it leaked");
  if (what.includes("namespaces")) return { fact: denied("unshare", result), unharmed: true };
  if (what.includes("mounts")) return { fact: denied("mount", result), unharmed: true };
  return { fact: "-", unharmed: true };
}

/** Calls that the filter denies are told to the caller too, where the kernel can tell them. */
function denied(call: string, result: Result): string {
  const denial = result.enforcement_events.find(({ action, decision }) => decision === "deny" && action === call);
  return denial ? `an event: ${denial.action} denied by ${denial.hook}` : "-";
}

/** The attempts on what the machine has to give, each in a zone of its own. */
export const BOMBS: readonly ((stage: Stage) => Promise<Attempt>)[] = [
  async (stage) => {
    const result = await hostile(stage, ["--pids", "64", "--timeout", "20s"], "fork-bomb");
    const [peak, left] = [result.usage.pids_peak, countProcesses(HOSTILE)];
    return {
      what: "fork-bombs (limit 64)",
      inside: `${ending(result)}, ${peak === null ? "peak not measured" : `${peak} processes at most`}`,
      outside: `${left} processes left`,
      contained: (peak === null || peak <= 64) && left === 0,
    };
  },
  async (stage) => {
    const result = await hostile(stage, ["--memory", "256Mi", "--timeout", "20s"], "memory-bomb");
    const peak = result.usage.memory_peak_bytes;
    return {
      what: "fills memory (limit 256 MiB)",
      inside: `${ending(result)}, ${peak === null ? "peak not measured" : `${Math.round(peak / MEBIBYTE)} MiB at most`}`,
      outside: `${countProcesses(HOSTILE)} processes left`,
      contained:
        !/^\d{10}/m.test(result.stdout) &&
        (peak === null || peak <= (256 + memorySlack(result)) * MEBIBYTE) &&
        countProcesses(HOSTILE) === 0,
    };
  },
  async (stage) => {
    const result = await hostile(stage, ["--max-output", "65536", "--timeout", "2s"], "output-bomb");
    const kept = Buffer.byteLength(result.stdout);
    return {
      what: "writes without end (limit 64 KiB, 2 s)",
      inside: `${ending(result)}, ${Math.round(result.stdout_bytes / MEBIBYTE)} MiB written`,
      outside: `${kept} bytes kept`,
      contained: kept <= 65536 && result.stdout_truncated && result.status === "timed_out",
    };
  },
  async (stage) => {
    const marker = stage.victimMarker.replace("victim", "daemon");
    const result = await hostile(stage, ["--timeout", "20s"], "daemon", marker);
    const left = countProcesses(marker);
    return {
      what: "leaves a daemon behind",
      inside: `${ending(result)} after ${result.duration_ms} ms`,
      outside: `${left} processes left`,
      contained: left === 0 && result.duration_ms < 10_000,
    };
  },
];

/**
 * MiB above the limit that are none of the bomb's. A cgroup counts all of the zone exactly; where there is none, each process has the
 * limit by itself and a watcher sums them up from time to time, so the shells and pipes beside the bomb come on top for a moment.
 */
function memorySlack({ guarantees }: Result): number {
  const limit = guarantees.find(({ name }) => name === "memory_limit");
  return limit?.mechanism?.includes("cgroup") ? 1 : 32;
}

function ending({ status, cause, exit_code, signal }: Result): string {
  return `${status} (${cause}${cause === "exit" ? ` ${exit_code}` : ""}${signal ? ` ${signal}` : ""})`;
}
