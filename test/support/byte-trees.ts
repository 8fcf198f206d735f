/** Trees by their bytes: names that are no UTF-8 count too. */
import { treeFs as fs } from "../../src/linux/tree/tree-fs.ts";
import { joinPath } from "../../src/workspace/bytes.ts";
import { readWhole } from "../../src/workspace/files.ts";

/**
 * Path to type, mode and content; with `identity` also inode and times. Files that are one have a word in common: `=` and what stands for
 * the first of their names.
 */
export function snapshot(path: string, identity: "content" | "identity" = "content"): Record<string, string> {
  const root = fs.root(path);
  const found: Record<string, string> = {};
  const names = new Map<string, string[]>();
  const pending = [""];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const dir = fs.directory(root, at);
    for (const name of fs.list(dir)) {
      const stat = fs.stat(dir, name);
      if (stat === undefined) continue;
      const child = joinPath(at, name);
      const words = [stat.type, stat.type === "symlink" ? "" : stat.mode.toString(8)];
      if (stat.type === "symlink") words.push(fs.readLink(dir, name));
      if (stat.type === "file") words.push(String(Bun.hash(readWhole(fs, dir, name) ?? new Uint8Array())));
      if (identity === "identity") words.push(stat.inode, String(stat.mtimeNs), String(stat.ctimeNs));
      found[child] = words.join(" ");
      if (stat.type === "file" && stat.links > 1) names.set(stat.inode, [...(names.get(stat.inode) ?? []), child]);
      if (stat.type === "directory") pending.push(child);
    }
    fs.close(dir);
  }
  fs.close(root);
  for (const group of names.values()) {
    const [first] = group.sort();
    if (group.length > 1) for (const name of group) found[name] = `${found[name]} =${Bun.hash(first ?? "")}`;
  }
  return Object.fromEntries(Object.entries(found).sort());
}

/** Files and symlinks only, and of modes only what git keeps: what a patch can carry. */
export function gitSnapshot(path: string): Record<string, string> {
  const all = Object.entries(snapshot(path)).filter(([name]) => name !== ".git" && !name.startsWith(".git/"));
  return Object.fromEntries(
    all.flatMap(([name, words]) => {
      const [type, mode, ...rest] = words.split(" ");
      if (type === "directory") return [];
      const executable = type === "file" && (Number.parseInt(mode ?? "", 8) & 0o100) !== 0;
      // A patch knows no hard links.
      const told = rest.filter((word) => !word.startsWith("="));
      return [[name, [type, executable ? "x" : "", ...told].join(" ")]];
    }),
  );
}
