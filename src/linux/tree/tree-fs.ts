import type { TreeFs } from "../../run/tree-fs.ts";
import { closeFd } from "../ffi.ts";
import { mountBelow } from "./mounts.ts";
import * as read from "./read.ts";
import * as write from "./write.ts";

/** File trees by descriptors, without node:fs: its loading alone would cost the hot path milliseconds, and it can't confine a path. */
export const treeFs: TreeFs = {
  now: read.now,
  nowDigits: read.nowDigits,
  mountBelow,
  root: read.root,
  pathOf: read.pathOf,
  close: closeFd,
  directory: read.directory,
  list: read.list,
  stat: read.stat,
  ownership: read.ownership,
  readLink: read.readLink,
  openFile: read.openFile,
  readAt: read.readAt,
  attributes: read.attributes,
  hasAttribute: read.hasAttribute,
  makeDirectory: write.makeDirectory,
  createFile: write.createFile,
  write: write.write,
  copyContent: write.copyContent,
  link: write.link,
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
