import type { Backend, HostIo } from "../run/backend.ts";
import { closeFd, flag, isTerminal, openFile, renameFile, unlinkFile, writeAll } from "./ffi.ts";
import { probeFacts } from "./probe/facts.ts";
import { runLauncher } from "./zone-process.ts";

const O_EXCL = 0o200;

const io: HostIo = {
  write: (fd, bytes) => Math.max(0, -writeAll(fd, bytes)),
  isTerminal,
  replaceFile,
};

/** The Linux backend: host facts by probing, zones by the native launcher. */
export const linuxBackend: Backend = { name: "linux", io, probe: probeFacts, run: runLauncher };

function replaceFile(path: string, bytes: Uint8Array): number {
  const temporary = `${path}.${process.pid}.tmp`;
  const fd = openFile(temporary, flag.O_WRONLY | flag.O_CREAT | O_EXCL, 0o644);
  if (fd < 0) return -fd;
  const failure = Math.min(0, writeAll(fd, bytes));
  closeFd(fd);
  const result = failure < 0 ? failure : renameFile(temporary, path);
  if (result < 0) unlinkFile(temporary);
  return -Math.min(0, result);
}
