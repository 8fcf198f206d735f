import type { FlagTable } from "./flag.ts";

/** The long name of the option that is written `--word`: its name, or one of its aliases. */
export function longName(table: FlagTable, word: string): string | undefined {
  if (Object.hasOwn(table, word)) return word;
  return Object.keys(table).find((name) => table[name]?.aliases?.includes(word));
}

/** The long name of the option that is written `-letter`. */
export function shortName(table: FlagTable, letter: string): string | undefined {
  return Object.keys(table).find((name) => table[name]?.short === letter);
}

/** The long name of the switch that `--no-NAME` turns off. */
export function negatedName(table: FlagTable, word: string): string | undefined {
  const name = word.startsWith("no-") ? word.slice(3) : "";
  const flag = Object.hasOwn(table, name) ? table[name] : undefined;
  return flag?.kind === "boolean" && flag.negatable ? name : undefined;
}

/** Every word that may follow `--`. */
export function allLongWords(table: FlagTable): string[] {
  return Object.entries(table).flatMap(([name, flag]) => [
    name,
    ...(flag.aliases ?? []),
    ...(flag.kind === "boolean" && flag.negatable ? [`no-${name}`] : []),
  ]);
}
