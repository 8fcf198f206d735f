import { nearestName } from "../../run/diagnostic.ts";

/** The candidate that was probably meant: the only one that the word begins, else the nearest in spelling. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length >= 2) {
    const begun = candidates.filter((candidate) => candidate.startsWith(word.toLowerCase()));
    if (begun.length === 1) return begun[0];
  }
  // One or two letters are near to everything.
  return word.length < 3 ? undefined : nearestName(word, candidates);
}
