import type { TaskFs } from "../../run/tree-fs.ts";
import { closeFd } from "../ffi.ts";
import { mountBelow } from "./mounts.ts";
import { directory, hasAttribute, nowDigits, ownership, pathOf, root } from "./read.ts";
import { createFile, lock, makeDirectory, rename, setMode, setOwner, write } from "./write.ts";

/** What a workspace needs of file trees before its zone is started: see `TaskFs`. */
export const taskFs: TaskFs = {
  close: closeFd,
  createFile,
  directory,
  hasAttribute,
  lock,
  makeDirectory,
  mountBelow,
  nowDigits,
  ownership,
  pathOf,
  rename,
  root,
  setMode,
  setOwner,
  write,
};
