/** Signal names by number, signal(7), x86-64 and aarch64. */
const names = [
  "",
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGILL",
  "SIGTRAP",
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGKILL",
  "SIGUSR1",
  "SIGSEGV",
  "SIGUSR2",
  "SIGPIPE",
  "SIGALRM",
  "SIGTERM",
  "SIGSTKFLT",
  "SIGCHLD",
  "SIGCONT",
  "SIGSTOP",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGURG",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGVTALRM",
  "SIGPROF",
  "SIGWINCH",
  "SIGIO",
  "SIGPWR",
  "SIGSYS",
];

/** The name of a signal; real-time signals as `SIGRTMIN+n`. */
export function signalName(number: number): string {
  return names[number] ?? (number >= 34 ? `SIGRTMIN+${number - 34}` : `SIG${number}`);
}

export const signal = { int: 2, kill: 9, term: 15, xcpu: 24, xfsz: 25 } as const;

/** The number of a signal by its name, with or without `SIG`; `RTMIN+n` and `RTMAX-n` too. Undefined for no signal's name. */
export function signalNumber(name: string): number | undefined {
  const full = name.startsWith("SIG") ? name : `SIG${name}`;
  const index = names.indexOf(full);
  if (index > 0) return index;
  const [, base, offset] = /^SIGRT(MIN|MAX)(?:[+-]([0-9]{1,2}))?$/.exec(full) ?? [];
  if (base === undefined) return undefined;
  const number = base === "MIN" ? 34 + Number(offset ?? 0) : 64 - Number(offset ?? 0);
  return number >= 34 && number <= 64 ? number : undefined;
}
