/** The probe's side of a test: what to try, and what the kernel answered. */
import { buildProbe } from "./build-probe.ts";

/** One thing to try: a verb and its operands, in one string without blanks in them or as words. */
export type Attempt = string | readonly string[];

/** What the kernel said to one attempt. */
export interface Answer {
  /** The attempt as it was written. */
  readonly attempt: string;
  /** `OK`, or an errno's name. */
  readonly outcome: string;
  readonly items: readonly string[];
}

/** The program on the host, and where zones of the tests see it. */
export const probePath = buildProbe();
export const PROBE = "/probe";
export const probeBind = ["--ro-bind", `${probePath}:${PROBE}`] as const;

/** The probe's arguments for these attempts, one after the other in one process. */
export function attemptWords(attempts: readonly Attempt[]): string[] {
  return attempts.flatMap((attempt, index) => [
    ...(index === 0 ? [] : ["+"]),
    ...(typeof attempt === "string" ? attempt.split(" ") : attempt),
  ]);
}

/** Reads the probe's lines; lines of others are passed over. */
export function parseAnswers(stdout: string): Answer[] {
  return stdout.split("\n").flatMap((line): Answer[] => {
    const match = /^(.*?): (OK|E[A-Z0-9]+|errno-\d+)(?: (.*))?$/.exec(line);
    if (match === null) return [];
    const [, attempt = "", outcome = "", detail = ""] = match;
    return [{ attempt, outcome, items: detail === "" ? [] : detail.split("\t").map(unescapeItem) }];
  });
}

function unescapeItem(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Items of the form `key=value` as an object. */
export function asRecord(items: readonly string[]): Record<string, string> {
  return Object.fromEntries(items.map((item) => [item.slice(0, item.indexOf("=")), item.slice(item.indexOf("=") + 1)]));
}

/** Runs the probe on the host itself: the allowed neighbour of what a zone is refused. */
export function probeOnHost(...attempts: readonly Attempt[]): Answer[] {
  const { stdout, stderr, exitCode } = Bun.spawnSync([probePath, ...attemptWords(attempts)], { stdin: "ignore" });
  if (exitCode === 2) throw new Error(stderr.toString());
  return parseAnswers(stdout.toString());
}
