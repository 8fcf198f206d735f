/**
 * Which seeds a fuzzer tries. In `make test` the same ones each time, so that a run says something about the change and not about
 * chance; with RAUHA_FUZZ_SECONDS (`make fuzz`) new ones for that long; with RAUHA_FUZZ_SEED the one that failed.
 */
const seconds = process.env["RAUHA_FUZZ_SECONDS"];
const onlySeed = process.env["RAUHA_FUZZ_SEED"];

/** What a test may take, in milliseconds. */
export const fuzzTimeoutMs = (Number(seconds ?? 0) + 120) * 1000;

/** Whether many seeds are tried, so that one may ask what all of them showed together. */
export const manySeeds = onlySeed === undefined;

/** Seeds from 1 to `runs`, or whatever the environment asks for. */
export function* seeds(runs: number): Generator<number> {
  if (onlySeed !== undefined) return yield Number(onlySeed);
  if (seconds === undefined) {
    for (let seed = 1; seed <= runs; seed++) yield seed;
    return;
  }
  const end = performance.now() + Number(seconds) * 1000;
  let seed = Math.floor(Math.random() * 1e9);
  do yield seed++;
  while (performance.now() < end);
}

/** Calls `once` with each seed; a failure names its own. Returns how many there were. */
export function fuzz(runs: number, once: (seed: number) => void): number {
  let done = 0;
  for (const seed of seeds(runs)) {
    try {
      once(seed);
    } catch (error) {
      throw new Error(`RAUHA_FUZZ_SEED=${seed} repeats this`, { cause: error });
    }
    done++;
  }
  return done;
}
