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
