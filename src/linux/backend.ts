import type { Backend, HostIo } from "../run/backend.ts";
import { errnoName } from "../run/report/errno.ts";
import { isTerminal, randomBytes, writeAll } from "./ffi.ts";
import { openOutput } from "./output-file.ts";
import { probeFacts } from "./probe/facts.ts";
import { readWholeFile } from "./small-file.ts";
import { consult, consulting } from "./start/consulting.ts";
import { begunStart, isUnknownStart } from "./start/front.ts";
import { runLauncher } from "./zone-process.ts";
import { hasZoneRecords } from "./zones/place.ts";

const io: HostIo = {
  write: (fd, bytes) => Math.max(0, -writeAll(fd, bytes)),
  isTerminal,
  randomBytes,
  readText,
  openOutput,
};

/** The Linux backend: host facts by probing, zones by the native launcher. */
export const linuxBackend: Backend = {
  name: "linux",
  io,
  trees: async () => (await import("./tree/tree-fs.ts")).treeFs,
  taskTrees: async () => (await import("./tree/task-fs.ts")).taskFs,
  lsm: async () => (await import("./bpf/run.ts")).openLsm,
  lsmSetup: async () => (await import("./bpf/setup.ts")).lsmSetup,
  notes: { any: hasZoneRecords, open: async () => (await import("./zones/note.ts")).zoneNotes },
  zones: async () => (await import("./zones/registry.ts")).openZoneRegistry,
  networks: async () => (await import("./network/networks.ts")).hostNetworks,
  images: async () => (await import("./images.ts")).linuxImages(linuxBackend, consulting.noted),
  starts: {
    begun: begunStart,
    unknown: isUnknownStart,
    consult,
    remember: async () => (await import("./start/remember.ts")).rememberStart,
  },
  probe: probeFacts,
  run: runLauncher,
};

function readText(path: string, limit: number): ReturnType<HostIo["readText"]> {
  const file = readWholeFile(path, limit + 1);
  if (typeof file === "number") return { problem: errnoName(-file) };
  if (file.length > limit) return { problem: `larger than ${limit} bytes` };
  return { text: new TextDecoder().decode(file) };
}
