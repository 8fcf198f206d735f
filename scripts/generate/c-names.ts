/** Names of the contracts as C has them. */

/** `readOnly` → `READ_ONLY`. */
export function upper(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();
}

/** A macro for each entry of a table, and an empty line. File descriptors are `int` in C: without a suffix. */
export function defines(prefix: string, table: Readonly<Record<string, number>>, suffix: "u" | "" = "u"): string[] {
  return [...Object.entries(table).map(([name, value]) => `#define ${prefix}_${upper(name)} ${value}${suffix}`), ""];
}
