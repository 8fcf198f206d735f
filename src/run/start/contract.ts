/**
 * The boundary between Rauha and its native front, in one place: what a start was planned to be, kept for the next start that asks for
 * the same, and what the front hands over when it has begun such a start and something is not plain.
 * `scripts/generate.ts` makes `native/front/contract.gen.h` of it.
 *
 * A record lies in a System V shared memory segment (shmget(2)) of the caller's: no zone can see it, since each zone has an ipc
 * namespace of its own, and it is gone with the next boot. All numbers are little endian, nothing is aligned. Field encodings: `u32`,
 * `u64`; `str`: u32 length, bytes, one NUL that the length leaves out; `bytes`: u32 length and raw bytes; `strs`: u32 count and that
 * many `str`; a list is a u32 count and that many entries. A record is, in this order:
 *
 *   u32 magic (written last), u32 size of all, u64 build
 *   strs options       arguments between `sandbox` and the first `--`
 *   u32 uid, u32 gid, u64 effective capabilities, u64 inode of the user namespace (0: unknown), u32 Landlock ABI, u32 whether there is
 *   seccomp, u32 whether stdin is a terminal, str current directory
 *   list of checks     u32 kind, then as `startCheck` says
 *   u32 ops of the plan, bytes ops before `exec`, list of u32 places in them of the zone's id, list of u32 places of its first host id
 *   strs arguments before the command's, bytes environment of `exec` (a `strs`)
 *   list of bytes      records that each run of the plan reports alike (`skipped`, `verified`), in any order
 *   list of collected  u32 op, u32 `collectedAs`
 *   result of exit code 0, result of any other exit code, each: bytes text, list of (u32 place, u32 `resultHole`), in ascending order
 */

/** First word of a record: "RHS1". */
export const startMagic = 0x31534852;

/** First word of the front's state: "RHF1". */
export const frontMagic = 0x31464852;

/**
 * `slots` records for each user at most, of `recordBytes` each at most. The slot is FNV-1a (32 bits) of the options and the current
 * directory, each followed by NUL, modulo `slots`; the key of shmget(2) is FNV-1a of "rauha start", the uid as four bytes and the slot as
 * one, or 1 in the place of 0.
 */
export const startLimits = { slots: 16, recordBytes: 256 << 10 } as const;

/** What must be as it was. A check that is not leaves the start to the planner. */
export const startCheck = {
  /** str path, u32 limit, u32 errno, bytes content: at most so many bytes of a file, or why it can't be read. */
  read: 1,
  /** str path, u32 mode, u32 allowed: access(2). */
  access: 2,
  /** str name, u32 present, bytes value: a variable of the caller's environment. */
  variable: 3,
  /** str path: a directory that is there; a shared lock, flock(2), is taken on it and kept. These come first. */
  hold: 4,
} as const;

/** What is done with a control file's content that the launcher reports at the end (`collected`). */
export const collectedAs = {
  ignored: 1,
  memoryPeak: 2,
  /** All processes of the zone: its init is taken off. */
  pidsPeak: 3,
  /** Any number but 0 behind `oom_kill ` is not plain. */
  oomKills: 4,
  /** Sums of `rbytes=` and `wbytes=`. */
  ioTotals: 5,
} as const;

/**
 * What goes into the text of a result; numbers in decimal, times as ISO 8601 in ms, the rest as JSON
 * strings without quotes. What the launcher did not measure, and reports as 0, is `null`: maxRss, memoryWatched, pidsCounted.
 */
export const resultHole = {
  taskId: 1,
  zoneId: 2,
  /** The command's arguments after those of the record: JSON strings, each with a comma in front unless it is the first of all. */
  command: 3,
  /** 64 digits. */
  commandHash: 4,
  exitCode: 5,
  /** Times: rauha began; `started`, `ended`, `cleaned` arrived; the last of all events. */
  createdAt: 6,
  startedAt: 7,
  endedAt: 8,
  cleanedAt: 9,
  finishedAt: 10,
  /** From createdAt to startedAt, ms. */
  setupMs: 11,
  /** Of the task, ms, as `ended` has it. */
  wallMs: 12,
  stdout: 13,
  stdoutBytes: 14,
  stderr: 15,
  stderrBytes: 16,
  userMs: 17,
  systemMs: 18,
  maxRss: 19,
  /** From `collected`; from the watcher of `ended`. */
  memoryPeak: 20,
  memoryWatched: 21,
  /** From `collected`; from `ended`. */
  pidsPeak: 22,
  pidsCounted: 23,
  ioRead: 24,
  ioWritten: 25,
} as const;

/**
 * The front's state, one page at a fixed address of the process: below everything that the kernel places by itself, within the
 * address spaces of both machines. Fields are 8 bytes each, in this order.
 */
export const frontState = {
  address: 0x40_0000_0000,
  bytes: 4096,
  fields: [
    /** `frontMagic`. */
    "magic",
    /** `frontSays`. */
    "says",
    /** The launcher's process, and our ends of its pipes. */
    "pid",
    "report",
    "control",
    /** Signals that the front blocks, and the caller did not: a set of rt_sigprocmask(2). */
    "held",
    /** ms since the epoch: rauha began; `started` arrived (0: not yet); the last piece of the report arrived. */
    "createdAt",
    "startedAt",
    "heardAt",
    /** The report so far, and how much of it had come up to and with `started`. */
    "heard",
    "heardBytes",
    "startedBytes",
    /** The plan that the launcher got. */
    "plan",
    "planBytes",
    /** Two texts of `idBytes` bytes. */
    "taskId",
    "zoneId",
  ],
  /** A prefix of five and twenty hexadecimal digits. */
  idBytes: 25,
} as const;

/** How far the front came. */
export const frontSays = {
  /** This is no start that could be remembered. */
  nothing: 0,
  /** It is one, and there is no record of it. */
  unknown: 1,
  /** The launcher is at work: adopt it. */
  begun: 2,
} as const;

/** Set to anything, `planned` for one, it leaves every start to the planner. */
export const startVariable = "RAUHA_START";
