import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import type { Diagnostic } from "../run/diagnostic.ts";
import { quote } from "./flags/quote.ts";

/**
 * Why a command line that has U+FFFD in it can't be taken: the runtime puts that in the place of every byte that is no UTF-8, and the
 * task would get other arguments than were given. Undefined where somebody really wrote U+FFFD.
 */
export function notTextProblem(argv: readonly string[]): Diagnostic | undefined {
  const words = givenBytes().slice(-argv.length);
  const at = argv.findIndex((word, index) => word.includes("\ufffd") && !isUtf8(words[index] ?? Buffer.of(0xff)));
  if (at < 0) return undefined;
  return {
    code: "invalid_argument",
    message: `${quote(argv[at] ?? "")} is not UTF-8 as it was given, and can't be handed on as it is`,
    hint: "name the file in another way: a pattern in a shell inside the zone, or a link to it",
  };
}

/** The words of the command line as the kernel has them, proc_pid_cmdline(5). */
function givenBytes(): Buffer[] {
  const all = readFileSync("/proc/self/cmdline");
  const words: Buffer[] = [];
  for (let from = 0; from < all.length; ) {
    const end = all.indexOf(0, from);
    const to = end < 0 ? all.length : end;
    words.push(all.subarray(from, to));
    from = to + 1;
  }
  return words;
}
