import * as contract from "../../src/run/plan/contract.ts";

type Records = Readonly<
  Record<string, { id: number; stage: string; times?: string; fields: Readonly<Record<string, string>> }>
>;

/**
 * Everything that both sides must agree on, as one text: records by id with their fields in wire order, and every number
 * that has a meaning. The order in which the source declares its tables does not show.
 */
export function canonicalContract(): string {
  const records = (table: Records) =>
    Object.entries(table)
      .map(
        ([name, { id, stage, times, fields }]) => [id, name, stage, times ?? "many", Object.entries(fields)] as const,
      )
      .sort(([a], [b]) => a - b);
  const numbers = (table: Readonly<Record<string, number>>) =>
    Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({
    magic: contract.planMagic,
    stages: contract.stages,
    plan: records(contract.planOps),
    report: records(contract.reportRecords),
    numbers: [
      contract.mountFlag,
      contract.ioMode,
      contract.ioStdin,
      contract.identityFlag,
      contract.seccompFlag,
      contract.cgroupKind,
      contract.verifyCheck,
      contract.endCause,
      contract.control,
      contract.launcherFd,
      contract.contractLimits,
    ].map(numbers),
  });
}

/** FNV-1a, 64 bits, over UTF-8. */
export function fnv1a64(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}
