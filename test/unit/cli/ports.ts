import { runCommandTree } from "../../../src/cli/commands.ts";
import type { Backend } from "../../../src/run/backend.ts";
import type { BackendEvent } from "../../../src/run/backend-event.ts";
import type { HostFacts } from "../../../src/run/host-facts.ts";
import type { LsmSetup } from "../../../src/run/lsm.ts";
import { Consulted } from "../../../src/run/start/consulted.ts";
import { userFacts } from "../plan/inputs.ts";

/** What a command wrote, and its exit code. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface World {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: boolean;
  readonly facts?: HostFacts;
  /** What a zone does; by default its task succeeds. */
  readonly events?: readonly BackendEvent[];
  /** Files that the backend can read. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Runs a command of the tree in a made-up world. */
export async function run(argv: readonly string[], world: World = {}): Promise<Outcome> {
  const written = { 1: "", 2: "" };
  const code = await runCommandTree(argv, {
    write: (fd, text) => {
      if (fd !== 1 && fd !== 2) throw new Error(`written to ${fd}`);
      written[fd] += text;
    },
    isTerminal: () => world.terminal ?? false,
    backend: async () => backendOf(world),
    env: world.env ?? {},
    cwd: world.cwd ?? "/nowhere",
  });
  return { code, stdout: written[1], stderr: written[2] };
}

const at = 1_700_000_000_000;

/** A task that ended with exit code 0. */
export const succeeded: readonly BackendEvent[] = [
  { at, record: "started", pid: 4711 },
  {
    at,
    record: "ended",
    status: 0,
    cause: 0,
    user_us: 1,
    system_us: 1,
    max_rss_bytes: 1,
    wall_us: 1000,
    stdout_bytes: 0,
    stderr_bytes: 0,
    pids_peak: 1,
    memory_peak: 1,
  },
  { at, record: "cleaned", errno: 0, detail: "" },
];

/** A zone that could not be made: clone3 was refused. */
export const refusedClone: readonly BackendEvent[] = [
  { at, record: "failed", stage: 2, op: 0xffffffff, errno: 1, step: "clone3", detail: "" },
  { at, record: "cleaned", errno: 0, detail: "" },
];

/** A kernel that knows nothing of BPF-LSM. */
const noLsm: LsmSetup = {
  readiness: () => ({
    root: false,
    btf: true,
    compiled: false,
    modules: ["capability"],
    bpffs: false,
    pinned: false,
    trial: null,
  }),
  load: () => ({ ok: false, failed: "load", errno: "EPERM", log: "" }),
  remove: () => ({ ok: false, failed: "remove", errno: "EPERM", log: "" }),
  state: () => null,
};

function backendOf(world: World): Backend {
  return {
    name: "linux",
    lsm: async () => () => {
      throw new Error("no BPF programs are pinned in this world");
    },
    taskTrees: () => Promise.reject(new Error("no trees in this test")),
    lsmSetup: async () => noLsm,
    io: {
      write: () => 0,
      isTerminal: () => world.terminal ?? false,
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
      readText: (path) => {
        const text = world.files?.[path];
        return text === undefined ? { problem: "there is no such file" } : { text };
      },
      openOutput: () => ({ write: () => 0, close: () => {} }),
    },
    notes: { any: () => false, open: () => Promise.reject(new Error("no zone lasts in this test")) },
    zones: async () => () => ({ problem: "XDG_RUNTIME_DIR names no runtime directory" }),
    networks: () => Promise.reject(new Error("no network is connected here")),
    trees: () => Promise.reject(new Error("no trees in this test")),
    images: async () => ({
      prepare: () => Promise.reject(new Error("no images in this test")),
      empty: () => Promise.reject(new Error("no layers in this test")),
      reclaim: () => Promise.reject(new Error("no layers in this test")),
      subordinateIds: async () => ({ asked: undefined, last: 0, maps: [], problems: [] }),
    }),
    starts: {
      begun: () => undefined,
      unknown: () => false,
      consult: () => new Consulted(),
      remember: () => Promise.reject(new Error("no start is remembered in this test")),
    },
    probe: () => world.facts ?? userFacts,
    run: async (_plan, emit) => {
      for (const event of world.events ?? succeeded) emit(event);
    },
  };
}
