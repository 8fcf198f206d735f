import type { LayerLimit } from "./refusal.ts";
import type { UnpackSummary } from "./unpack.ts";

/** What the program in the zone says at its end, as one line of JSON. Whoever reads it trusts none of it: a layer may have won there. */
export type UnpackReport =
  | { readonly ok: true; readonly summary: UnpackSummary }
  /** `invalid`: the archive is refused; `failed`: the system refused something (a full disk). */
  | {
      readonly ok: false;
      readonly kind: "invalid" | "failed";
      readonly entry: string | undefined;
      readonly reason: string;
      /** The policy's limit that the archive breaks. */
      readonly limit?: LayerLimit | undefined;
      /** How to mend it, where the zone could not be made. */
      readonly hint?: string | undefined;
    };

const limits: readonly unknown[] = ["layer_size", "layer_entries", "layer_ratio"] satisfies LayerLimit[];

/** Implied directories that are told one by one; a layer with more is one that no tool makes. */
export const maximumImplied = 20_000;

/** Decodes a report; undefined for anything that is none. */
export function decodeReport(text: string): UnpackReport | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  if (value["ok"] === true) {
    const summary = decodeSummary(value["summary"]);
    return summary === undefined ? undefined : { ok: true, summary };
  }
  const { kind, entry, reason, limit } = value as Readonly<Record<string, unknown>>;
  if ((kind !== "invalid" && kind !== "failed") || typeof reason !== "string") return undefined;
  if (entry !== undefined && typeof entry !== "string") return undefined;
  if (limit !== undefined && !limits.includes(limit)) return undefined;
  return { ok: false, kind, entry, reason, limit: limit as LayerLimit | undefined };
}

/** The same of what was kept beside an unpacked layer. */
export function decodeSummary(value: unknown): UnpackSummary | undefined {
  if (!isRecord(value)) return undefined;
  const { entries, bytes, largestFile, archiveBytes, implied, hidesAll } = value;
  if (!isCount(entries) || !isCount(bytes) || !isCount(largestFile) || !isCount(archiveBytes)) return undefined;
  if (typeof hidesAll !== "boolean") return undefined;
  if (!Array.isArray(implied) || implied.length > maximumImplied) return undefined;
  const paths = implied.filter((path): path is string => typeof path === "string" && isPlainPath(path));
  return paths.length === implied.length
    ? { entries, bytes, largestFile, archiveBytes, implied: paths, hidesAll }
    : undefined;
}

/** A path below a layer's root that leads nowhere else. */
function isPlainPath(path: string): boolean {
  return path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && !part.includes("\0"));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
