/**
 * Killed at any moment, SIGKILL included, an invocation leaves nothing: no process, mount, cgroup, namespace, file. 50 random moments, the
 * launcher and the init of the zone as victims themselves, and (kill-syscalls.test.ts) every early system call.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readlinkSync, utimesSync } from "node:fs";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { cgroupFolders, descendantsOf, leftSince, takeSnapshot } from "../support/host-snapshot.ts";
import { isPinned, patient } from "../support/identity.ts";
import { sandbox, start } from "../support/rauha.ts";
import { makeRuntimeFolder } from "../support/zone-records.ts";

const MOMENTS = 50;
const SIGNALS = ["SIGKILL", "SIGTERM", "SIGINT"] as const;

describe(`${MOMENTS} random moments`, () => {
  // The longest span in which something is being made or undone, here: zone creation takes some 10 ms of it.
  const span = patient(45);
  const folder = writeFiles(makeFolder("kill"), { ".git/config": "[core]\n", "file.txt": "x\n" });
  const { folder: private_, env, comeBy } = makeRuntimeFolder();
  /**
   * Guarded by programs, a zone has its cgroup before it is in the maps and before it has a launcher: killed in that moment, it is left to a
   * later run.
   */
  const leftOf = async (before: ReturnType<typeof takeSnapshot>): Promise<string[]> => {
    const left = await leftSince(before, [folder, private_]);
    const cgroups = isPinned ? left.filter((item) => item.startsWith("cgroups: ")) : [];
    if (cgroups.length > 0) await expectSwept(cgroups.map((item) => item.slice("cgroups: ".length)));
    return left.filter((item) => !cgroups.includes(item));
  };
  const commands = [
    ["sandbox", "--", "true"],
    ["sandbox", "--", "sleep", "20"],
    ["sandbox", "--repo-path", folder, "--repo-mode", "rw", "--", "sh", "-c", "sleep 20 & sleep 20 & wait"],
    ["sandbox", "-t", "--", "sh", "-c", "trap '' HUP; sleep 20"],
  ];

  test(
    "leave nothing",
    async () => {
      for (let moment = 0; moment < MOMENTS; moment++) {
        const before = takeSnapshot([folder, private_]);
        const command = commands[moment % commands.length] ?? [];
        const signal = SIGNALS[moment % SIGNALS.length] ?? "SIGKILL";
        const after = Math.random() * span;
        const child = start(command, { env });
        await Bun.sleep(after);
        child.kill(signal);
        await child.exited;
        await comeBy();
        const left = await leftOf(before);
        expect({ command, signal, after, left }).toEqual({ command, signal, after, left: [] });
      }
    },
    patient(120_000),
  );

  test(
    "and a task that would not stop is stopped with them",
    async () => {
      const before = takeSnapshot([folder, private_]);
      const script = "trap '' TERM INT HUP; (setsid sh -c 'trap \"\" TERM; sleep 20') & while :; do sleep 1; done";
      const children = Array.from({ length: 10 }, () => start(["sandbox", "--", "sh", "-c", script], { env }));
      await Bun.sleep(patient(300));
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(children.map(({ exited }) => exited));
      await comeBy();
      expect(await leftOf(before)).toEqual([]);
    },
    patient(60_000),
  );
});

describe("the launcher as the victim", () => {
  test(
    "takes the zone with it; rauha says so, and exits with 125",
    async () => {
      const before = takeSnapshot([]);
      const child = start(["sandbox", "--json", "--", "sleep", "30"]);
      process.kill(await launcherOf(child.pid), "SIGKILL");
      const text = await child.stdout.text();
      expect(await child.exited).toBe(125);
      expect(JSON.parse(text)).toMatchObject({ status: "runtime_error", error: { code: "internal" } });
      const left = await leftSince(before, [], 3000);
      expect(left.filter((item) => !item.startsWith("cgroups: "))).toEqual([]);
      await expectSwept(left.map((item) => item.slice("cgroups: ".length)));
    },
    patient(60_000),
  );

  test(
    "stopped for a while does no harm: rauha and the task wait for it",
    async () => {
      const child = start(["sandbox", "--json", "--", "sh", "-c", "sleep 0.3; echo done"]);
      const launcher = await launcherOf(child.pid);
      process.kill(launcher, "SIGSTOP");
      await Bun.sleep(600);
      process.kill(launcher, "SIGCONT");
      expect(JSON.parse(await child.stdout.text())).toMatchObject({ status: "succeeded", stdout: "done\n" });
    },
    patient(30_000),
  );
});

describe("the zone's init as the victim", () => {
  test(
    "takes every process of the zone with it, and the result says that it was lost",
    async () => {
      const before = takeSnapshot([]);
      const child = start(["sandbox", "--json", "--", "sh", "-c", "trap '' TERM; sleep 30 & sleep 30"]);
      const launcher = await launcherOf(child.pid);
      const init = descendantsOf(launcher).find(({ parent }) => parent === launcher);
      process.kill(init?.pid ?? 0, "SIGKILL");
      const result = JSON.parse(await child.stdout.text()) as { status: string; error: { code: string } | null };
      await child.exited;
      expect(result.status).toBeOneOf(["runtime_error", "failed"]);
      expect(await leftSince(before, [])).toEqual([]);
    },
    patient(30_000),
  );
});

describe("what a killed run left", () => {
  test("is swept by the next one when it is old enough, and only if it is Rauha's and empty", async () => {
    const parents = new Set((await cgroupsOfARun()).map((path) => path.slice(0, path.lastIndexOf("/"))));
    const { mkdirSync, rmdirSync } = await import("node:fs");
    const made: string[] = [];
    const make = (path: string, age: number): string => {
      mkdirSync(path);
      made.push(path);
      const then = new Date(Date.now() - age * 1000);
      utimesSync(path, then, then);
      return path;
    };
    try {
      for (const parent of parents) {
        const old = make(`${parent}/rauha-zone_test${process.pid}old`, 3600);
        const young = make(`${parent}/rauha-zone_test${process.pid}young`, 0);
        const others = make(`${parent}/rauha_test_${process.pid}`, 3600);
        for (let run = 0; run < 3; run++) await sandbox([], ["sleep", "0.1"]);
        expect([old, young, others].map((path) => existsSync(path))).toEqual([false, true, true]);
      }
    } finally {
      for (const path of made) if (existsSync(path)) rmdirSync(path);
    }
  });

  test("is swept by runs that are short as well", async () => {
    const [path = ""] = await cgroupsOfARun();
    if (path === "") return;
    const old = `${path.slice(0, path.lastIndexOf("/"))}/rauha-zone_test${process.pid}short`;
    const { mkdirSync, rmdirSync } = await import("node:fs");
    mkdirSync(old);
    const then = new Date(Date.now() - 3_600_000);
    utimesSync(old, then, then);
    for (let run = 0; run < 5; run++) await sandbox([], ["true"]);
    const swept = !existsSync(old);
    if (!swept) rmdirSync(old);
    expect(swept).toBe(true);
  });
});

/** Ages these folders beyond the sweep's minimum, and expects the next run to remove them. */
async function expectSwept(folders: readonly string[]): Promise<void> {
  const then = new Date(Date.now() - 3_600_000);
  for (const folder of folders) utimesSync(folder, then, then);
  await sandbox([], ["sleep", "0.1"]);
  expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
}

/** The cgroup folders that a zone of this user's gets, if any. */
async function cgroupsOfARun(): Promise<string[]> {
  const before = new Set(cgroupFolders());
  const child = start(["sandbox", "--", "sleep", "20"]);
  await launcherOf(child.pid);
  await Bun.sleep(patient(100));
  const made = cgroupFolders().filter((path) => !before.has(path));
  child.kill("SIGTERM");
  await child.exited;
  return made;
}

/** The launcher below rauha, once its zone runs a task. */
async function launcherOf(pid: number): Promise<number> {
  for (const end = performance.now() + patient(10_000); performance.now() < end; await Bun.sleep(5)) {
    const all = descendantsOf(pid);
    const launcher = all.find((process) => process.parent === pid);
    const inside = all.filter((process) => process.name === "sleep" || process.name === "sh");
    if (launcher !== undefined && inside.length > 0 && isMemfd(launcher.pid)) return launcher.pid;
  }
  throw new Error("no launcher below rauha");
}

function isMemfd(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`).startsWith("/memfd:") && readdirSync(`/proc/${pid}`).length > 0;
  } catch {
    return false;
  }
}
