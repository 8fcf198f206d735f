import type { SignalSource } from "../run/backend.ts";

/** Not SIGPWR: the runtime stops its own threads with it. */
const numbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGUSR1: 10, SIGUSR2: 12, SIGTERM: 15 } as const;

/** What a run is told: signals that arrived, and what Rauha itself finds out. */
export interface StopRequests extends SignalSource {
  /** Nobody reads the task's output any more: what SIGPIPE tells a program that writes it itself. Said once. */
  nobodyReads(): void;
}

const SIGPIPE = 13;

/** Takes over the signals that end a program: a running zone hears of them instead of Rauha dying of them. */
export function collectSignals(): StopRequests {
  let arrived: number[] = [];
  for (const [name, number] of Object.entries(numbers)) process.on(name, () => arrived.push(number));
  let unread = false;
  return {
    nobodyReads: () => {
      if (!unread) arrived.push(SIGPIPE);
      unread = true;
    },
    take: () => {
      const taken = arrived;
      arrived = [];
      return taken;
    },
  };
}
