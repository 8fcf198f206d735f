import { TreeError, type TreeFs } from "../../run/tree-fs.ts";
import { opaqueAttribute } from "../unpack/attributes.ts";

/** A tree that is one of a stack, with what its record says. */
export interface StackedTree {
  readonly tree: string;
  readonly hidesAll: boolean;
}

/** An entry of a stack of layers: which layer has it (counted from the lowest), and where. */
export interface Found {
  readonly layer: number;
  /** Byte strings. */
  readonly parent: string;
  readonly name: string;
}

/** The layers that matter: from the last one that hides everything below it. */
export function visibleLayers<T extends { readonly hidesAll: boolean }>(layers: readonly T[]): readonly T[] {
  const from = layers.findLastIndex(({ hidesAll }) => hidesAll);
  return from <= 0 ? layers : layers.slice(from);
}

const symlinksMax = 40;
const EINVAL = 22;
const ELOOP = 40;

/**
 * Looks into unpacked layers as the zone will see them stacked, without mounting anything: whiteouts and opaque directories are heeded,
 * symlinks are followed within the image, and nothing on the host is ever reached through one.
 */
export class StackedLayers {
  readonly #fs: TreeFs;
  readonly #roots: readonly number[];

  constructor(fs: TreeFs, layers: readonly StackedTree[]) {
    this.#fs = fs;
    this.#roots = visibleLayers(layers).map(({ tree }) => fs.root(tree));
  }

  close(): void {
    for (const root of this.#roots) this.#fs.close(root);
  }

  /** Whether there is anything at a path, symlinks followed. What can't be looked at counts as there. */
  has(path: string): boolean {
    try {
      return this.#resolve(String.fromCharCode(...new TextEncoder().encode(path))) !== undefined;
    } catch (error) {
      if (error instanceof TreeError) return true;
      throw error;
    }
  }

  /** The bytes of a regular file of at most `limit` bytes, or undefined where there is none. Throws a TreeError for anything else. */
  readFile(path: string, limit: number): Uint8Array | undefined {
    const found = this.#resolve(path);
    if (found === undefined || found === "directory") return undefined;
    return this.#within(found, (dir) => {
      const stat = this.#fs.stat(dir, found.name);
      if (stat?.type !== "file" || stat.size > limit) throw new TreeError("read", path, EINVAL);
      const fd = this.#fs.openFile(dir, found.name);
      try {
        const bytes = new Uint8Array(stat.size);
        let at = 0;
        for (let n = 1; n > 0 && at < bytes.length; at += n) n = this.#fs.readAt(fd, bytes.subarray(at), at);
        return bytes.subarray(0, at);
      } finally {
        this.#fs.close(fd);
      }
    });
  }

  /** What is at a path, symlinks in its directories and its last part followed; undefined for nothing. */
  #resolve(path: string): Found | "directory" | undefined {
    const todo = path.split("/");
    let done: string[] = [];
    for (let links = 0; todo.length > 0; ) {
      const name = todo.shift() ?? "";
      if (name === "" || name === ".") continue;
      if (name === "..") {
        done.pop();
        continue;
      }
      const found = this.#entry(done.join("/"), name);
      if (found === undefined) return undefined;
      if (found === "directory") {
        done.push(name);
        continue;
      }
      const value = this.#within(found, (dir) =>
        this.#fs.stat(dir, name)?.type === "symlink" ? this.#fs.readLink(dir, name) : undefined,
      );
      if (value === undefined) return todo.some((rest) => rest !== "" && rest !== ".") ? undefined : found;
      if (++links > symlinksMax) throw new TreeError("readlink", path, ELOOP);
      if (value.startsWith("/")) done = [];
      todo.unshift(...value.split("/"));
    }
    return "directory";
  }

  /** An entry of a directory that was found, path by path, before. */
  #entry(parent: string, name: string): Found | "directory" | undefined {
    for (const layer of this.#layersOf(parent)) {
      const found = { layer, parent, name };
      const type = this.#within(found, (dir) => this.#fs.stat(dir, name)?.type);
      if (type === "whiteout") return undefined;
      if (type === "directory") return "directory";
      if (type !== undefined) return found;
    }
    return undefined;
  }

  /** The layers that contribute to a directory, the topmost first. */
  #layersOf(path: string): number[] {
    let layers = this.#roots.map((_, index) => index).reverse();
    let parent = "";
    for (const name of path === "" ? [] : path.split("/")) {
      const next: number[] = [];
      for (const layer of layers) {
        const [type, opaque] = this.#within({ layer, parent, name }, (dir) => {
          const stat = this.#fs.stat(dir, name);
          return [stat?.type, stat?.type === "directory" && isOpaque(this.#fs, dir, name)] as const;
        });
        if (type === undefined) continue;
        if (type !== "directory") break;
        next.push(layer);
        if (opaque) break;
      }
      layers = next;
      parent = parent === "" ? name : `${parent}/${name}`;
    }
    return layers;
  }

  #within<T>({ layer, parent }: Found, use: (dir: number) => T): T {
    const dir = this.#fs.directory(this.#roots[layer] ?? -1, parent);
    try {
      return use(dir);
    } finally {
      this.#fs.close(dir);
    }
  }
}

/** Whether a directory of a layer hides what lies below it. */
export function isOpaque(fs: TreeFs, dir: number, name: string): boolean {
  return fs.attributes(dir, name, (key) => key === opaqueAttribute).size > 0;
}
