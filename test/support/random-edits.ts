/**
 * Random trees, and random edits of them, over byte-exact names. As a program it makes the edits of a seed in a directory, so that
 * the same edits can be made inside a zone and outside of one:  bun random-edits.ts SEED DIRECTORY
 */
import { appendFileSync } from "node:fs";
import { treeFs as fs } from "../../src/linux/tree/tree-fs.ts";
import { removeTree } from "../../src/run/remove-tree.ts";
import { TreeError } from "../../src/run/tree-fs.ts";
import { joinPath } from "../../src/workspace/bytes.ts";
import { readWhole } from "../../src/workspace/files.ts";
import { Random } from "../unit/policy/random.ts";

const EXDEV = 18;
const names = [
  "a",
  "b",
  "src",
  "x y",
  "tab\there",
  "new\nline",
  'quo"te',
  "back\\slash",
  "\xc3\xa4",
  "\xff\xfe",
  "-n",
  "*",
  "a.b",
  "node",
];
const fileModes = [0o644, 0o755, 0o600, 0o700, 0o666, 0o640];
const directoryModes = [0o755, 0o700, 0o775];

/** A tree being made or changed, by a seed. */
class Gardener {
  readonly #random: Random;
  readonly #root: number;

  constructor(random: Random, root: number) {
    this.#random = random;
    this.#root = root;
  }

  grow(path: string, depth: number): void {
    for (let i = this.#random.int(2, 6); i > 0; i--) {
      const child = joinPath(path, this.#pick(names));
      if (this.#type(child) !== undefined) continue;
      if (depth > 0 && this.#random.chance(0.45)) {
        this.#makeDirectory(child);
        this.grow(child, depth - 1);
      } else this.#makeLeaf(child);
    }
  }

  edit(): void {
    const directories = this.#paths("directory");
    const files = this.#paths("file");
    const anything = [...files, ...directories, ...this.#paths("symlink")].filter((path) => path !== "");
    const child = joinPath(this.#pick(directories), this.#pick(names));
    const victim = anything.length === 0 ? undefined : this.#pick(anything);
    const file = files.length === 0 ? undefined : this.#pick(files);
    switch (this.#random.int(0, 13)) {
      case 0:
        if (this.#type(child) === undefined) this.#makeLeaf(child);
        break;
      case 1:
        if (this.#type(child) === undefined) {
          this.#makeDirectory(child);
          this.grow(child, 1);
        }
        break;
      case 2:
      case 3:
        if (victim !== undefined) this.#remove(victim);
        break;
      case 4:
        // A file in the place of whatever was there.
        if (victim !== undefined) {
          this.#remove(victim);
          this.#makeLeaf(victim);
        }
        break;
      case 5:
        if (victim !== undefined) {
          this.#remove(victim);
          this.#makeDirectory(victim);
          this.grow(victim, 1);
        }
        break;
      case 6:
        if (file !== undefined) this.#in(file, (dir, name) => fs.setEntryMode(dir, name, this.#pick(fileModes)));
        break;
      case 7:
        if (victim !== undefined && this.#type(child) === undefined && !child.startsWith(`${victim}/`)) {
          if (this.#type(victim) !== "directory" || !this.#hasLinks(victim)) this.#move(victim, child);
        }
        break;
      case 8:
        if (file !== undefined) this.#rewrite(file);
        break;
      case 9:
      case 10:
        if (file !== undefined) this.#link(file, child);
        break;
      case 11:
        // Over whatever file was there.
        if (file !== undefined && victim !== undefined && this.#type(victim) === "file" && victim !== file) {
          this.#remove(victim);
          this.#link(file, victim);
        }
        break;
      case 12:
        if (file !== undefined) this.#append(file);
        break;
      default:
        this.#in(child, (dir, name) => {
          if (fs.stat(dir, name)?.type === "directory") fs.setEntryMode(dir, name, this.#pick(directoryModes));
        });
    }
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#random.int(0, list.length - 1)] as T;
  }

  #content(): Uint8Array {
    const length = this.#pick([0, 1, 10, 200, 9000]);
    if (this.#random.chance(0.2)) return Uint8Array.from({ length }, () => this.#random.int(0, 255));
    const lines = Array.from({ length: Math.ceil(length / 8) }, () => `line ${this.#random.int(0, 30)}`);
    return Buffer.from(lines.join("\n") + (this.#random.chance(0.7) ? "\n" : ""));
  }

  #makeLeaf(path: string): void {
    this.#in(path, (dir, name) => {
      if (this.#random.chance(0.15)) {
        // None to itself: git apply can't put a directory in the place of such a link.
        const values = ["a", "../b", "/etc/passwd", "nowhere", "\xff", "x y"].filter((value) => value !== name);
        fs.makeSymlink(dir, name, this.#pick(values));
        return;
      }
      this.#write(dir, name, this.#content(), this.#pick(fileModes));
    });
  }

  #write(dir: number, name: string, content: Uint8Array, mode: number): void {
    const fd = fs.createFile(dir, name);
    fs.write(fd, content);
    fs.setMode(fd, mode);
    fs.close(fd);
  }

  #makeDirectory(path: string): void {
    this.#in(path, (dir, name) => {
      fs.makeDirectory(dir, name, 0o700);
      fs.setEntryMode(dir, name, this.#pick(directoryModes));
    });
  }

  #remove(path: string): void {
    this.#in(path, (dir, name) => removeTree(fs, dir, name));
  }

  /** As an editor does: the old file goes, a new one of its name comes. */
  #rewrite(path: string): void {
    this.#in(path, (dir, name) => {
      const mode = fs.stat(dir, name)?.mode ?? 0o644;
      fs.unlink(dir, name);
      this.#write(dir, name, this.#content(), mode);
    });
  }

  #link(from: string, to: string): void {
    if (this.#type(from) !== "file" || this.#type(to) !== undefined) return;
    this.#in(from, (fromDir, fromName) => this.#in(to, (toDir, toName) => fs.link(fromDir, fromName, toDir, toName)));
  }

  /** In place: all names of the file have it. */
  #append(path: string): void {
    this.#in(path, (dir, name) => {
      const mode = fs.stat(dir, name)?.mode ?? 0o644;
      fs.setEntryMode(dir, name, mode | 0o600);
      appendFileSync(Buffer.from(`/proc/self/fd/${dir}/${name}`, "latin1"), this.#content());
      fs.setEntryMode(dir, name, mode);
    });
  }

  /** Whether a file in a tree has other names: what does as mv does would make files of their own of them. */
  #hasLinks(path: string): boolean {
    return this.#paths("file").some((file) => {
      if (file !== path && !file.startsWith(`${path}/`)) return false;
      return this.#in(file, (dir, name) => (fs.stat(dir, name)?.links ?? 0) > 1);
    });
  }

  /** rename(2), and where that is refused (a directory of a lower layer) what mv does. */
  #move(from: string, to: string): void {
    this.#in(from, (fromDir, fromName) =>
      this.#in(to, (toDir, toName) => {
        try {
          fs.rename(fromDir, fromName, toDir, toName);
        } catch (error) {
          if (!(error instanceof TreeError) || error.errno !== EXDEV) throw error;
          this.#copy(fromDir, fromName, toDir, toName);
          removeTree(fs, fromDir, fromName);
        }
      }),
    );
  }

  #copy(fromDir: number, from: string, toDir: number, to: string): void {
    const stat = fs.stat(fromDir, from);
    if (stat?.type === "symlink") fs.makeSymlink(toDir, to, fs.readLink(fromDir, from));
    else if (stat?.type === "file") this.#write(toDir, to, readWhole(fs, fromDir, from) ?? new Uint8Array(), stat.mode);
    else if (stat?.type === "directory") {
      fs.makeDirectory(toDir, to, 0o700);
      const [source, target] = [fs.directory(fromDir, from), fs.directory(toDir, to)];
      for (const name of fs.list(source)) this.#copy(source, name, target, name);
      fs.setMode(target, stat.mode);
      fs.close(source);
      fs.close(target);
    }
  }

  #type(path: string): string | undefined {
    return this.#in(path, (dir, name) => fs.stat(dir, name)?.type);
  }

  #in<T>(path: string, work: (dir: number, name: string) => T): T {
    const slash = path.lastIndexOf("/");
    const dir = fs.directory(this.#root, slash < 0 ? "" : path.slice(0, slash));
    try {
      return work(dir, path.slice(slash + 1));
    } finally {
      fs.close(dir);
    }
  }

  #paths(type: string): string[] {
    const found = type === "directory" ? [""] : [];
    const pending = [""];
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      const dir = fs.directory(this.#root, path);
      for (const name of fs.list(dir)) {
        const kind = fs.stat(dir, name)?.type;
        if (kind === type) found.push(joinPath(path, name));
        if (kind === "directory") pending.push(joinPath(path, name));
      }
      fs.close(dir);
    }
    return found.sort();
  }
}

/** Fills an empty directory. */
export function growTree(seed: number, path: string): void {
  const root = fs.root(path);
  new Gardener(new Random(seed), root).grow("", 3);
  fs.close(root);
}

/** Changes a tree; the same seed and tree give the same changes. */
export function editTree(seed: number, path: string, edits = 12): void {
  const root = fs.root(path);
  const gardener = new Gardener(new Random(seed + 1_000_000), root);
  for (let i = 0; i < edits; i++) gardener.edit();
  fs.close(root);
}

if (import.meta.main) {
  const [seed, path] = process.argv.slice(2);
  editTree(Number(seed), path ?? "");
}
