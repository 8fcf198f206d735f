import type { SignalSource } from "../run/backend.ts";

const numbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

/** Takes over the signals that ask a program to stop: a running zone hears of them instead of Rauha dying of them. */
export function collectSignals(): SignalSource {
  let arrived: number[] = [];
  for (const [name, number] of Object.entries(numbers)) process.on(name, () => arrived.push(number));
  return {
    take: () => {
      const taken = arrived;
      arrived = [];
      return taken;
    },
  };
}
