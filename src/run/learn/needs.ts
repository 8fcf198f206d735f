import type { Report } from "../report/report.ts";
import { projectDenials } from "../result/denials.ts";
import { type Use, usesOf } from "./uses.ts";
import { type ImageFiles, isInside, type View, viewOf } from "./view.ts";

/** What a path is on the host; null: not there, or the caller can't see it. */
export type HostKind = "file" | "directory" | "device" | "socket" | null;

/** What a policy lacked for a task, by key, each with the reason; and what no key can give. */
export interface Needs {
  readonly keys: ReadonlyMap<NeedKey, ReadonlyMap<string, string>>;
  /** In words. */
  readonly others: readonly string[];
}

export type NeedKey =
  | "capabilities.allowed"
  | "filesystem.readable_paths"
  | "filesystem.writable_paths"
  | "filesystem.allowed_sockets"
  | "devices.allowed"
  | "syscalls.allow"
  | "network.allowed_egress";

/** Files of one directory that are needed before the directory is named instead. */
const MANY = 8;

/**
 * Reads off a report what was refused to the task, or was not there, and would have been with another policy. `image`: the root's
 * files, where that is an image.
 */
export function needsOf(report: Report, hostKind: (path: string) => HostKind, image?: ImageFiles): Needs {
  const collected = new Collected();
  for (const { policy_key: key, message } of projectDenials(report)) {
    const [, name, value] = /^(capabilities\.allowed|syscalls\.allow) = \["(\w+)"\]$/.exec(key ?? "") ?? [];
    if (name !== undefined && value !== undefined) collected.add(name as NeedKey, value, message);
    else collected.say(`${message}; ${key}`);
  }
  const uses = usesOf(report);
  const own = new Set(
    uses.flatMap((use) => (use.what === "path" && use.writes && use.kind !== "change" ? [use.path] : [])),
  );
  const view = withoutOwn(viewOf(report.plan, image), own);
  // What a system has in these places an image brings, or it lacks it: files of the host's would be another system's.
  const readable = image === undefined ? hostKind : (path: string) => (systemPlace.test(path) ? null : hostKind(path));
  const made = new Set<string>();
  for (const use of uses) {
    if (use.what === "inet") addAddress(use, collected);
    else if (use.what === "unix") addSocket(use.path, use.kind === "bind", view, hostKind, collected, made);
    else if (use.writes) addWrite(use, view, hostKind, collected, made);
    else addRead(use, view, readable, collected);
  }
  for (const folder of outermost(made)) collected.add("filesystem.writable_paths", folder, "written to");
  return collected.finish();
}

const systemPlace = /^\/(usr|bin|sbin|lib[^/]*|etc|var|root|proc|sys)(\/|$)/;

/** The view, in which what is not the task's own in a scratch directory is absent: the directory began empty. */
function withoutOwn(view: View, own: ReadonlySet<string>): View {
  const isOwn = (path: string) => own.has(path) || [...own].some((made) => isInside(path, made));
  return {
    ...view,
    shown: (path) => {
      const shown = view.shown(path);
      const begunEmpty = shown === "scratch" || (shown === "absent" && view.grows(path));
      return begunEmpty && isOwn(path) ? "writable" : shown;
    },
  };
}

class Collected {
  readonly #keys = new Map<NeedKey, Map<string, string>>();
  readonly #others = new Set<string>();

  add(key: NeedKey, value: string, why: string): void {
    const values = this.#keys.get(key) ?? new Map<string, string>();
    if (!values.has(value)) values.set(value, why);
    this.#keys.set(key, values);
  }

  say(words: string): void {
    this.#others.add(words);
  }

  finish(): Needs {
    const readable = this.#keys.get("filesystem.readable_paths");
    if (readable !== undefined) this.#keys.set("filesystem.readable_paths", fewerPaths(readable));
    return { keys: this.#keys, others: [...this.#others] };
  }
}

function addRead(
  { kind, path }: Extract<Use, { what: "path" }>,
  view: View,
  hostKind: (path: string) => HostKind,
  collected: Collected,
): void {
  const shown = view.shown(path);
  if (shown === "hidden") collected.say(`filesystem.denied_paths hides ${path}, which was looked for`);
  if (shown !== "absent" && shown !== "scratch") return;
  const there = hostKind(path);
  if (there === "directory" && shown === "scratch") return;
  if (there === "device" && kind === "open") collected.add("devices.allowed", path, "opened");
  // To look whether a directory is there is no reason to show all that is in it.
  const wanted = there === "file" || (there === "directory" && kind !== "look");
  if (wanted) collected.add("filesystem.readable_paths", path, kind === "execute" ? "executed" : "read");
}

function addWrite(
  { kind, path }: Extract<Use, { what: "path" }>,
  view: View,
  hostKind: (path: string) => HostKind,
  collected: Collected,
  made: Set<string>,
): void {
  const shown = view.shown(path);
  if ((shown === "absent" || shown === "scratch") && kind === "change" && hostKind(path) === "device") {
    collected.add("devices.allowed", path, "opened for writing");
    return;
  }
  if (shown === "writable" || shown === "scratch" || view.grows(path)) return;
  // What is not there can't be changed anywhere, and what is there can't be made a directory.
  if (kind === "change" && shown === "absent" && (view.ofImage || hostKind(path) === null)) return;
  if (kind === "make-dir" && shown !== "absent") return;
  const folder = kind === "make-dir" ? path : path.slice(0, path.lastIndexOf("/")) || "/";
  if (folder === "/" && view.ofImage) {
    collected.say(`${path} was to be made in /, where an image zone gets no new names but directories of --dir`);
    return;
  }
  if (folder === "/" || view.holds(folder)) {
    collected.say(
      `${path} was to be written: a scratch directory would hide what is there; --rw-bind shows one of the host's`,
    );
    return;
  }
  made.add(folder);
}

function addSocket(
  path: string,
  binds: boolean,
  view: View,
  hostKind: (path: string) => HostKind,
  collected: Collected,
  made: Set<string>,
): void {
  if (binds) addWrite({ what: "path", kind: "make", path, writes: true }, view, hostKind, collected, made);
  else if (["absent", "scratch"].includes(view.shown(path)) && hostKind(path) === "socket")
    collected.add("filesystem.allowed_sockets", path, "connected to");
}

function addAddress({ kind, address, port }: Extract<Use, { what: "inet" }>, collected: Collected): void {
  const own = /^127\.|^0\.0\.0\.0$|^(0:){7}[01]$|^0:0:0:0:0:ffff:7f/.test(address);
  if (kind !== "connect" || own || port === 0) return;
  const endpoint = address.includes(":") ? `[${address}]/128:${port}` : `${address}/32:${port}`;
  collected.add("network.allowed_egress", endpoint, "connected to");
}

/** A program that makes a path's directories tries the nearest first and goes up: those above are means, not ends. */
function outermost(made: ReadonlySet<string>): string[] {
  const ends = [...made].filter((path) => ![...made].some((other) => isInside(other, path)));
  return ends.toSorted();
}

/** Directories in the place of many files of theirs, never as high as a home or the root; nothing below what is named anyway. */
function fewerPaths(paths: ReadonlyMap<string, string>): Map<string, string> {
  const counts = new Map<string, number>();
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/"));
  for (const path of paths.keys()) counts.set(folderOf(path), (counts.get(folderOf(path)) ?? 0) + 1);
  const fewer = new Map<string, string>();
  for (const [path, why] of paths) {
    const folder = folderOf(path);
    const many = (counts.get(folder) ?? 0) > MANY && folder.split("/").length > 3;
    fewer.set(many ? folder : path, many ? `${counts.get(folder)} files of it read` : why);
  }
  const all = [...fewer.keys()];
  return new Map([...fewer].filter(([path]) => !all.some((other) => isInside(path, other))).toSorted());
}
