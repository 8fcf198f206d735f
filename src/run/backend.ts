import type { BackendEvent } from "./backend-event.ts";
import type { HostFacts } from "./host-facts.ts";
import type { Images } from "./image.ts";
import type { LsmSetup, OpenLsm } from "./lsm.ts";
import type { Plan } from "./plan/plan.ts";
import type { Consulted } from "./start/consulted.ts";
import type { RememberStart } from "./start/ended-start.ts";
import type { TaskFs, TreeFs } from "./tree-fs.ts";
import type { HostNetworks, ZoneNetwork } from "./zone-network.ts";
import type { OpenZoneRegistry, ZoneNotes } from "./zone-registry.ts";

/**
 * What a platform gives the core: facts before, events after. A backend executes plans and builds no report, so that
 * Linux, a VM and macOS can't drift apart.
 */
export interface Backend {
  readonly name: "linux" | "darwin";
  readonly io: HostIo;
  /** File trees of the host for workspaces; loaded when a run needs them. */
  trees(): Promise<TreeFs>;
  /** As much of them as a workspace needs before its zone is started. */
  taskTrees(): Promise<TaskFs>;
  /** The BPF-LSM side of a run; loaded where programs of ours are pinned. */
  lsm(): Promise<OpenLsm>;
  /** Loading the BPF programs, and what the host lacks for it. */
  lsmSetup(): Promise<LsmSetup>;
  /** Records of zones that no programs guard: whether there are any, and what writes and sweeps them, loaded when a run needs it. */
  readonly notes: { any(): boolean; open(): Promise<ZoneNotes> };
  /** The records of living zones; loaded when they are asked for. */
  zones(): Promise<OpenZoneRegistry>;
  /** The host's side of zones' networks; loaded when a run needs it. */
  networks(): Promise<HostNetworks>;
  /** Images as roots of zones; loaded when a run names one. */
  images(): Promise<Images>;
  /** Starts that are remembered (src/run/start/contract.ts). */
  readonly starts: {
    /** What the front has begun already, for this run to go on with. */
    begun(): BegunTask | undefined;
    /** Whether this start could be remembered and is not. */
    unknown(): boolean;
    /** Notes from here on what is asked of the host. */
    consult(): Consulted;
    /** Remembers one; loaded when its result is out. */
    remember(): Promise<RememberStart>;
  };
  /** Asks the host. Never throws for something missing: a missing thing is a fact. */
  probe(): HostFacts;
  /**
   * Runs one zone to its end and emits everything that happens, in order; the last event is `cleaned` or `lost`.
   * Resolves when nothing of the zone is left. `signals` lets the caller cancel.
   */
  run(
    plan: Plan,
    emit: (event: BackendEvent) => void,
    signals: SignalSource,
    network?: ZoneNetwork,
    moments?: RunMoments,
  ): Promise<void>;
}

/** The names of a task, and when Rauha began with it, in ms since the epoch. */
export interface BegunTask {
  readonly taskId: string;
  readonly zoneId: string;
  readonly at: number;
}

/** When a run calls back, each once at most; what is returned is waited for before the next event. */
export interface RunMoments {
  /** The zone is being built, and there is nothing to do but wait. */
  meanwhile?(): Promise<void>;
  /** The task has run for longer than most do; `pid` is that of the zone's init. */
  lasting?(pid: number): Promise<void>;
}

/** Signals that Rauha itself received and that a running zone must hear of. */
export interface SignalSource {
  /** Signal numbers that arrived since the last call, oldest first. They cancel the run, but for those of `passedOn`. */
  take(): readonly number[];
}

/** SIGUSR1 and SIGUSR2: they mean what the task takes them for, so it gets them, and the run goes on. */
export const passedOn: readonly number[] = [10, 12];

/** The caller's own files and terminals, without what node:fs and process.stdout cost at start. */
export interface HostIo {
  /** Writes all bytes to a descriptor of the caller's; 0, or the errno. */
  write(fd: number, bytes: Uint8Array): number;
  isTerminal(fd: number): boolean;
  /** So many bytes that nobody can foretell. */
  randomBytes(count: number): Uint8Array;
  /** The text of a file of at most `limit` bytes, or why it can't be read. */
  readText(path: string, limit: number): { readonly text: string } | { readonly problem: string };
  /**
   * Opens the place of a file that is written later, or takes a descriptor of the caller's; or the errno: what stands there is
   * decided now, not when it is written.
   */
  openOutput(place: string | number): OutputFile | number;
}

/** A file to be written once: a plain file is replaced whole, a device or a pipe takes the bytes. */
export interface OutputFile {
  /** 0, or the errno. */
  write(bytes: Uint8Array): number;
  close(): void;
}
