import type { TreeFs } from "../../run/tree-fs.ts";
import { closeFd } from "../ffi.ts";
import { readWholeFile } from "../small-file.ts";
import * as read from "./read.ts";
import * as write from "./write.ts";

/** File trees by descriptors, without node:fs: its loading alone would cost the hot path milliseconds, and it can't confine a path. */
export const treeFs: TreeFs = {
  now: read.now,
  mountPoints,
  root: read.root,
  pathOf: read.pathOf,
  close: closeFd,
  directory: read.directory,
  list: read.list,
  stat: read.stat,
  readLink: read.readLink,
  openFile: read.openFile,
  readAt: read.readAt,
  attributes: read.attributes,
  makeDirectory: write.makeDirectory,
  createFile: write.createFile,
  write: write.write,
  copyContent: write.copyContent,
  makeSymlink: write.makeSymlink,
  makeWhiteout: write.makeWhiteout,
  setMode: write.setMode,
  setEntryMode: write.setEntryMode,
  setModifiedTime: write.setModifiedTime,
  setOwner: write.setOwner,
  setAttribute: write.setAttribute,
  removeAttribute: write.removeAttribute,
  rename: write.rename,
  unlink: write.unlink,
  removeDirectory: write.removeDirectory,
  sync: write.sync,
  syncFileSystem: write.syncFileSystem,
  lock: write.lock,
  share: write.share,
};

/** The fifth field of each line of mountinfo, proc_pid_mountinfo(5): blanks and the like are written in octal. */
function mountPoints(): string[] {
  const bytes = readWholeFile("/proc/self/mountinfo", 1 << 20);
  if (typeof bytes === "number") return [];
  const found: string[] = [];
  for (const line of new TextDecoder().decode(bytes).split("\n")) {
    const field = line.split(" ", 5)[4];
    if (field !== undefined) found.push(field.includes("\\") ? withoutOctal(field) : field);
  }
  return found;
}

function withoutOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
