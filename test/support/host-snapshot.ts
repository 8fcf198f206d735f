/**
 * What a host has that an invocation could leave behind, before and after. Other users of the machine may come and go meanwhile, so processes
 * are counted by descent: this process adopts what its children leave (PR_SET_CHILD_SUBREAPER), and so finds every one of them.
 */
import { dlopen } from "bun:ffi";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { patient } from "./identity.ts";

const PR_SET_CHILD_SUBREAPER = 36;
const libc = dlopen("libc.so.6", {
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
}).symbols;
libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

export interface Snapshot {
  readonly processes: ReadonlySet<string>;
  readonly mounts: ReadonlySet<string>;
  readonly cgroups: ReadonlySet<string>;
  readonly files: ReadonlySet<string>;
  readonly links: ReadonlySet<string>;
}

/** Takes a snapshot; `folders` are those that the invocation might litter, compared whole. */
export function takeSnapshot(folders: readonly string[]): Snapshot {
  return {
    processes: new Set(descendants()),
    mounts: new Set(lines("/proc/self/mountinfo")),
    cgroups: new Set(cgroupFolders()),
    files: new Set([...folders.flatMap(filesBelow), ...sharedFolders().flatMap(filesOfRauha)]),
    links: new Set(lines("/proc/self/net/dev").map((line) => line.split(":")[0]?.trim() ?? "")),
  };
}

/** What is there now and was not before, as words; empty when nothing is. */
export function compareSnapshots(before: Snapshot, after: Snapshot): string[] {
  return (Object.keys(before) as (keyof Snapshot)[]).flatMap((kind) =>
    [...after[kind]].filter((item) => !before[kind].has(item)).map((item) => `${kind}: ${item}`),
  );
}

/** Waits until nothing is left: the kernel takes namespaces and mounts down in its own time. What is still there then. */
export async function leftSince(before: Snapshot, folders: readonly string[], ms = 5000): Promise<string[]> {
  const end = performance.now() + patient(ms);
  for (;;) {
    const left = compareSnapshots(before, takeSnapshot(folders));
    if (left.length === 0 || performance.now() > end) return left;
    await Bun.sleep(10);
  }
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly state: string;
}

/** All processes that this one sees. */
export function processes(): Process[] {
  return readdirSync("/proc").flatMap((name): Process[] => {
    if (!/^\d+$/.test(name)) return [];
    const match = /^(\d+) \((.*)\) (\S) (\d+)/s.exec(text(`/proc/${name}/stat`));
    if (match === null) return [];
    const [, pid, comm = "", state = "", parent] = match;
    return [{ pid: Number(pid), parent: Number(parent), name: comm, state }];
  });
}

/** Living processes below this one, or below `ancestor`. */
export function descendantsOf(ancestor: number): Process[] {
  const all = processes();
  const found: Process[] = [];
  const queue = [ancestor];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const child of all) {
      if (child.parent !== next) continue;
      found.push(child);
      queue.push(child.pid);
    }
  }
  return found.filter(({ state }) => state !== "Z" && state !== "X");
}

function descendants(): string[] {
  return descendantsOf(process.pid).map(({ pid, name }) => `${pid} ${name}`);
}

/** Folders named rauha-* of every cgroup hierarchy. */
export function cgroupFolders(): string[] {
  return lines("/proc/self/mountinfo").flatMap((line) => {
    const [place = "", type = ""] = line.split(" - ");
    return /^cgroup/.test(type) ? rauhaFolders(place.split(" ")[4] ?? "") : [];
  });
}

function rauhaFolders(folder: string, depth = 0): string[] {
  return names(folder, true).flatMap((name) => {
    const path = join(folder, name);
    if (name.startsWith("rauha-zone")) return [path];
    return depth < 6 ? rauhaFolders(path, depth + 1) : [];
  });
}

function sharedFolders(): string[] {
  return ["/tmp", "/var/tmp", "/dev/shm", process.env["XDG_RUNTIME_DIR"] ?? ""].filter((folder) => folder !== "");
}

/**
 * Files of Rauha's in a folder that others use too; those of tests and rigs have names of their own. The directory of zones' records is made by
 * the first zone that lasts, and stays: test/zone/records.test.ts looks at what is in it.
 */
function filesOfRauha(folder: string): string[] {
  const isKept = (name: string) => name === "rauha" && folder === process.env["XDG_RUNTIME_DIR"];
  return names(folder, false)
    .filter((name) => /rauha/i.test(name) && !/^\.?rauha-(test|user|demo|rig|bench)/.test(name) && !isKept(name))
    .map((name) => join(folder, name));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
}

function names(folder: string, foldersOnly: boolean): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !foldersOnly || entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function lines(path: string): string[] {
  return text(path).split("\n").filter(Boolean);
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
