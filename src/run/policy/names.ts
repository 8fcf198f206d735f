import { capabilityNames } from "../capabilities.ts";
import { nearestName } from "../diagnostic.ts";
import { type Form, quoteShort, type Read, read, textForm, unexpected, wrong } from "./form.ts";

/** Forms of names: capabilities, syscalls, environment variables, zones, and words of a closed list. */

/**
 * The name that was probably meant, as a hint: the only one that the word begins, or the nearest in spelling. A word
 * much longer than any name is near to none.
 */
export function didYouMean(word: string, names: readonly string[]): string | undefined {
  if (word === "" || word.length > 64) return undefined;
  const begun = word.length < 3 ? [] : names.filter((name) => name.startsWith(word));
  const near = begun.length === 1 ? begun[0] : nearestName(word, names);
  return near === undefined ? undefined : `did you mean ${JSON.stringify(near)}?`;
}

/** One word of a closed list. */
export function wordForm<const T extends string>(words: readonly T[]): Form<T> {
  const expected = oneOf(words);
  return (value) => {
    const word = words.find((word) => word === value);
    if (word !== undefined) return read(word);
    return unexpected(value, expected, typeof value === "string" ? didYouMean(value, words) : undefined);
  };
}

function oneOf(words: readonly string[]): string {
  const quoted = words.map((word) => JSON.stringify(word));
  return quoted.length < 2 ? quoted.join() : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
}

export const capabilityForm = textForm("the name of a capability", (name): Read<string> => {
  if (capabilityNames.includes(name)) return read(name);
  const canonical = name.toUpperCase().replace(/^(CAP_)?/, "CAP_");
  const hint = capabilityNames.includes(canonical)
    ? `write ${JSON.stringify(canonical)}`
    : /^(CAP_)?(ALL|\*)$/i.test(name)
      ? "there is no word for all of them: list each, as the shipped policy privileged does"
      : didYouMean(canonical, capabilityNames);
  return wrong(
    `${quoteShort(name)} is not a capability of capabilities(7)`,
    hint ?? 'for example "CAP_NET_BIND_SERVICE"',
  );
});

export const syscallPattern = /^[a-z_][a-z0-9_]{0,63}$/;

/** Names are checked for form alone: which there are is the architecture's to say. */
export const syscallForm = textForm("the name of a system call", (name) => {
  if (syscallPattern.test(name)) return read(name);
  const hint = /^\d+$/.test(name) ? "numbers differ between architectures: give the name" : 'for example "ptrace"';
  return wrong(`${quoteShort(name)} is not the name of a system call`, hint);
});

export const envNamePattern = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;

export const envNameForm = textForm("the name of an environment variable", (name) => {
  if (envNamePattern.test(name)) return read(name);
  const hint = name.includes("*")
    ? "there are no patterns: a policy lists every variable that enters the zone"
    : name.includes("=")
      ? "to set a value, use env.set"
      : "letters, digits and underscores, no digit first";
  return wrong(`${quoteShort(name)} is not the name of an environment variable`, hint);
});

export const zoneNamePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

export const zoneNameForm = textForm("a name", (name) => {
  if (zoneNamePattern.test(name)) return read(name);
  return wrong(
    `${quoteShort(name)} is not a name`,
    "1 to 128 letters, digits, `_`, `.` and `-`; a letter or digit first",
  );
});
