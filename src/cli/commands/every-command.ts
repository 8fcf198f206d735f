import type { FlagTable } from "../flags/flag.ts";

/** Options that every command but the hot one has in the same words. */
export const everyFlags = {
  json: {
    group: "options",
    kind: "boolean",
    negatable: true,
    description: "Print JSON on stdout, errors too; --no-json: words",
    default: "words",
  },
  help: { group: "options", kind: "boolean", short: "h", description: "Print this help" },
} as const satisfies FlagTable;

/** Of a command that only leads to others. */
export const helpOnly = { help: everyFlags.help } as const satisfies FlagTable;

/** The one heading of their options. */
export const everyGroups = { options: "Options" } as const;
