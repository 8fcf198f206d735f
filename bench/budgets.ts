/** The budgets of docs/benchmarks.md: ratios within one run. They are said, never enforced: a busy machine is no mistake of the code. */
import { BWRAP, EMPTY, OWN_POLICY, OWN_POLICY_PLANNED, PLANNED, RAUHA } from "./contenders.ts";
import type { Measured } from "./hyperfine.ts";

export interface Ratio {
  readonly what: string;
  readonly ratio: number;
  /** The same of the quickest runs: on a machine with other work to do, the better comparison. */
  readonly ofMinima: number;
  readonly budget: number;
}

const startBudgets = [
  { of: RAUHA, to: EMPTY, budget: 2.0 },
  { of: RAUHA, to: BWRAP, budget: 1.5 },
  { of: OWN_POLICY, to: RAUHA, budget: 2.0 },
  { of: OWN_POLICY_PLANNED, to: PLANNED, budget: 2.0 },
  { of: RAUHA, to: "firejail", budget: 1.0 },
  { of: RAUHA, to: "crun run", budget: 1.0 },
  { of: RAUHA, to: "runc run", budget: 1.0 },
] as const;

/** The ratios that have a budget, of those that ran. */
export function startRatios(measured: readonly Measured[]): Ratio[] {
  const find = (name: string) => measured.find((entry) => entry.name === name);
  return startBudgets
    .map(({ of, to, budget }) => {
      const [one, other] = [find(of), find(to)];
      const ratio = (one?.median ?? Number.NaN) / (other?.median ?? Number.NaN);
      const ofMinima = (one?.min ?? Number.NaN) / (other?.min ?? Number.NaN);
      return { what: `${of} / ${to}`, ratio, ofMinima, budget };
    })
    .filter(({ ratio }) => !Number.isNaN(ratio));
}
