import type { Diagnostic } from "../../diagnostic.ts";
import type { Read } from "../../policy/form.ts";

/** What is wrong with the values of a flag that may be given several times. */
export function illFormed(
  flag: string,
  texts: readonly string[],
  parse: (text: string) => Read<unknown>,
): Diagnostic[] {
  return texts.flatMap((text, index) => {
    const outcome = parse(text);
    if (outcome.ok) return [];
    const { message, hint } = outcome;
    return {
      code: "invalid_argument",
      message: `${flag}: ${message}`,
      hint,
      origin: { kind: "flag", flag, index: index + 1 },
    };
  });
}

/** The values that are well formed. */
export function wellFormed<T>(texts: readonly string[], parse: (text: string) => Read<T>): T[] {
  return texts.flatMap((text) => {
    const outcome = parse(text);
    return outcome.ok ? [outcome.value] : [];
  });
}
