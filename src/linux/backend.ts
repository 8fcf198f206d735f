import type { Backend, HostIo } from "../run/backend.ts";
import { errnoName } from "../run/report/errno.ts";
import { closeFd, flag, isTerminal, openFile, renameFile, unlinkFile, writeAll } from "./ffi.ts";
import { probeFacts } from "./probe/facts.ts";
import { readWholeFile } from "./small-file.ts";
import { runLauncher } from "./zone-process.ts";

const O_EXCL = 0o200;

const io: HostIo = {
  write: (fd, bytes) => Math.max(0, -writeAll(fd, bytes)),
  isTerminal,
  readText,
  replaceFile,
};

/** The Linux backend: host facts by probing, zones by the native launcher. */
export const linuxBackend: Backend = {
  name: "linux",
  io,
  trees: async () => (await import("./tree/tree-fs.ts")).treeFs,
  probe: probeFacts,
  run: runLauncher,
};

function readText(path: string, limit: number): ReturnType<HostIo["readText"]> {
  const file = readWholeFile(path, limit + 1);
  if (typeof file === "number") return { problem: errnoName(-file) };
  if (file.length > limit) return { problem: `larger than ${limit} bytes` };
  return { text: new TextDecoder().decode(file) };
}

/** A plain file is replaced whole. A device, a pipe or a link is written where it stands: a rename would put a file in its place. */
function replaceFile(path: string, bytes: Uint8Array): number {
  if (isSpecial(path)) {
    const fd = openFile(path, flag.O_WRONLY | flag.O_TRUNC);
    if (fd < 0) return -fd;
    const written = writeAll(fd, bytes);
    closeFd(fd);
    return Math.max(0, -written);
  }
  const temporary = `${path}.${process.pid}.tmp`;
  const fd = openFile(temporary, flag.O_WRONLY | flag.O_CREAT | O_EXCL, 0o644);
  if (fd < 0) return -fd;
  const failure = Math.min(0, writeAll(fd, bytes));
  closeFd(fd);
  const result = failure < 0 ? failure : renameFile(temporary, path);
  if (result < 0) unlinkFile(temporary);
  return -Math.min(0, result);
}

/** Whether something other than a plain file has this name. Loads node:fs only for those who want a file. */
function isSpecial(path: string): boolean {
  try {
    const there = process.getBuiltinModule("node:fs").lstatSync(path, { throwIfNoEntry: false });
    return there !== undefined && !there.isFile();
  } catch {
    return false; // the open will say why
  }
}
