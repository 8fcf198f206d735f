/** A network namespace of its own, where netlink messages meet the real kernel, and what iproute2 and nft then say about it. */
import { join } from "node:path";
import type { NetlinkMessage } from "../../src/run/netlink/message.ts";
import { isRoot, patient } from "./identity.ts";

/** One thing to do there: messages to rtnetlink (one by one) or nftables (one transaction), or a program to run. */
export type Step =
  | { readonly route: readonly NetlinkMessage[] }
  | { readonly nftables: readonly NetlinkMessage[] }
  | { readonly run: readonly string[] };

/** What came of a step: `ok`, the kernel's refusal, or what the program wrote to stdout. */
export interface StepResult {
  readonly errno: number;
  /** Index of the message that was refused. */
  readonly index: number;
  readonly text: string;
  readonly output: string;
}

const UNSHARE = ["unshare", ...(isRoot ? [] : ["--user", "--map-root-user"]), "--net"];

/** Does the steps in a fresh network namespace, in order, whatever comes of each. */
export function inOwnNetwork(...steps: readonly Step[]): StepResult[] {
  const script = join(import.meta.dir, "own-network-steps.ts");
  const child = Bun.spawnSync([...UNSHARE, process.execPath, script], {
    stdin: new TextEncoder().encode(JSON.stringify(steps.map(packed))),
    timeout: patient(60_000),
    env: { ...process.env, BUN_BE_BUN: "1" },
  });
  if (child.exitCode !== 0) throw new Error(`no network namespace: ${child.stderr.toString()}`);
  return JSON.parse(child.stdout.toString()) as StepResult[];
}

function packed(step: Step): unknown {
  if ("run" in step) return step;
  const messages = "route" in step ? step.route : step.nftables;
  const hex = messages.map(({ type, flags, body }) => ({ type, flags, body: Buffer.from(body).toString("hex") }));
  return { family: "route" in step ? "route" : "netfilter", messages: hex };
}

/**
 * Whether nft and iproute2 are here to say what the kernel has, and a network namespace can be made: in a zone (`make demo` runs these
 * tests in one) it can't.
 */
export const hasNetworkTools =
  Bun.which("nft") !== null && Bun.which("ip") !== null && Bun.spawnSync([...UNSHARE, "true"]).exitCode === 0;

/** What `nft -j list ruleset` has of one kind, without handles: they are numbers of the kernel's choice. */
export function rulesetItems(json: string, kind: string): unknown[] {
  const { nftables } = JSON.parse(json) as { readonly nftables: readonly Record<string, Record<string, unknown>>[] };
  return nftables.flatMap((item) => {
    const found = item[kind];
    if (found === undefined) return [];
    const { handle: _, ...rest } = found;
    return [rest];
  });
}

/** The rules of a ruleset, each as its list of expressions. */
export function rulesOf(json: string): unknown[] {
  return rulesetItems(json, "rule").map((rule) => (rule as { readonly expr: unknown }).expr);
}
