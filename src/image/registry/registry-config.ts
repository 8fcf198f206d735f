/** `registries.toml`, read strictly: every mistake at once, with its line and column. Pure; reading the files is next door. */
import { type Diagnostic, nearestName } from "../../run/diagnostic.ts";
import { decodePolicy } from "../../run/policy/decode.ts";
import { formatKeyPath } from "../../run/policy/key-path.ts";
import { locateKeys, positionsOf } from "../../run/policy/locate.ts";
import { parseToml } from "../../run/policy/toml.ts";
import { parseDuration } from "../../run/units.ts";
import { parseReference } from "../reference.ts";
import { type Pace, slowestPace } from "./pace.ts";

/** How one registry is reached. */
export interface RegistrySettings {
  /** Asked before the registry itself, in this order: a host, or a host and the beginning of a name. */
  readonly mirrors: readonly string[];
  /** Its certificate is not verified, and plain HTTP will do. */
  readonly insecure: boolean;
  /** A file of certificates to trust besides the system's: absolute. */
  readonly ca: string | undefined;
}

/** What registries.toml says, with defaults filled in (docs/images.md). */
export interface RegistryConfig {
  /** How long a registry may send nothing. */
  readonly timeoutMs: number;
  /** How little it may send; no key of the files. */
  readonly pace: Pace;
  /** How often a request that fails is tried again. */
  readonly retries: number;
  /** Layers that come at the same time. */
  readonly parallel: number;
  readonly registries: ReadonlyMap<string, RegistrySettings>;
  /** The file that asks for an ordinary user's subordinate ids in image zones; undefined: they have one id. */
  readonly subordinateIds: string | undefined;
}

export const defaultConfig: RegistryConfig = {
  timeoutMs: 30_000,
  pace: slowestPace,
  retries: 5,
  parallel: 4,
  registries: new Map(),
  subordinateIds: undefined,
};

type Tree = Readonly<Record<string, unknown>>;
type Mistake = (path: readonly (string | number)[], message: string, hint?: string) => void;

const topKeys = ["timeout", "retries", "parallel", "ids", "registry"];
const idsKeys = ["subordinate"];
const registryKeys = ["mirrors", "insecure", "ca"];

/** Reads one file over what came before it: a registry that both name is the later one's alone. */
export function parseRegistryConfig(
  bytes: Uint8Array,
  file: string,
  base: RegistryConfig = defaultConfig,
): { readonly config: RegistryConfig; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const complain = (key: string, line: number, column: number, message: string, hint?: string) => {
    const origin = { kind: "policy", policy: file, key, file, line, column } as const;
    diagnostics.push({ code: "invalid_config", message, hint, origin });
  };
  const decoded = decodePolicy(bytes);
  if (!decoded.ok) {
    complain("", decoded.line, decoded.column, decoded.message.replace("the policy", "the file"), decoded.hint);
    return { config: base, diagnostics };
  }
  const parsed = parseToml(decoded.text);
  if (!parsed.ok) {
    complain("", parsed.line, parsed.column, `not TOML: ${parsed.message}`);
    return { config: base, diagnostics };
  }
  const locations = locateKeys(decoded.text);
  const position = positionsOf(decoded.text);
  const mistake: Mistake = (path, message, hint) => {
    const key = formatKeyPath(path);
    const { line, column } = position(locations.get(key)?.keyAt ?? 0);
    complain(key, line, column, message, hint);
  };
  const config = readTop(parsed.tree, file, base, mistake);
  return { config: diagnostics.length > 0 ? base : config, diagnostics };
}

function readTop(tree: Tree, file: string, base: RegistryConfig, mistake: Mistake): RegistryConfig {
  checkKeys(tree, topKeys, [], mistake);
  const registries = new Map(base.registries);
  const tables = tree["registry"];
  if (tables !== undefined && !isTable(tables)) mistake(["registry"], 'expected tables such as [registry."host:5000"]');
  for (const [host, table] of isTable(tables) ? Object.entries(tables) : []) {
    const path = ["registry", host];
    const name = parseReference(`${host}/name`);
    const isHost = name.ok && (name.reference.registry === host || host === "docker.io");
    if (!isHost) mistake(path, `${JSON.stringify(host)} is no registry`, "HOST or HOST:PORT, in quotes");
    else if (!isTable(table)) mistake(path, "expected a table");
    else registries.set(host, readRegistry(table, path, mistake));
  }
  return {
    timeoutMs: readTimeout(tree["timeout"], mistake) ?? base.timeoutMs,
    pace: base.pace,
    retries: readCount(tree["retries"], ["retries"], 0, 20, mistake) ?? base.retries,
    parallel: readCount(tree["parallel"], ["parallel"], 1, 16, mistake) ?? base.parallel,
    registries,
    subordinateIds: readIds(tree["ids"], mistake, file, base.subordinateIds),
  };
}

function readIds(value: unknown, mistake: Mistake, file: string, base: string | undefined): string | undefined {
  if (value === undefined) return base;
  if (!isTable(value)) {
    mistake(["ids"], "expected a table", "[ids]\nsubordinate = true");
    return base;
  }
  checkKeys(value, idsKeys, ["ids"], mistake);
  const { subordinate } = value;
  if (subordinate === undefined) return base;
  if (typeof subordinate !== "boolean") mistake(["ids", "subordinate"], "expected true or false");
  return subordinate === true ? file : undefined;
}

function readRegistry(table: Tree, path: readonly string[], mistake: Mistake): RegistrySettings {
  checkKeys(table, registryKeys, path, mistake);
  const { mirrors = [], insecure = false, ca } = table;
  if (typeof insecure !== "boolean") mistake([...path, "insecure"], "expected true or false");
  if (ca !== undefined && (typeof ca !== "string" || !ca.startsWith("/"))) {
    mistake([...path, "ca"], "expected the absolute path of a file of certificates", 'ca = "/etc/ssl/own.pem"');
  }
  if (!Array.isArray(mirrors)) mistake([...path, "mirrors"], 'expected a list such as ["mirror.example:5000"]');
  const list: unknown[] = Array.isArray(mirrors) ? mirrors : [];
  for (const [index, mirror] of list.entries()) {
    const name = typeof mirror === "string" ? parseReference(`${mirror}/name`) : undefined;
    const isMirror =
      name?.ok === true && `${name.reference.registry}/${name.reference.repository}` === `${mirror}/name`;
    if (isMirror) continue;
    mistake([...path, "mirrors", index], "expected HOST[:PORT][/PREFIX]", 'mirrors = ["mirror.example:5000/hub"]');
  }
  return {
    mirrors: list.filter((mirror) => typeof mirror === "string"),
    insecure: insecure === true,
    ca: typeof ca === "string" ? ca : undefined,
  };
}

function readTimeout(value: unknown, mistake: Mistake): number | undefined {
  if (value === undefined) return undefined;
  const ms = typeof value === "string" ? parseDuration(value) : undefined;
  if (ms !== undefined && ms >= 100 && ms <= 3_600_000) return ms;
  mistake(["timeout"], "expected a duration from 100ms to 1h", 'timeout = "30s"');
  return undefined;
}

function readCount(
  value: unknown,
  path: readonly string[],
  min: number,
  max: number,
  mistake: Mistake,
): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  mistake(path, `expected a whole number from ${min} to ${max}`);
  return undefined;
}

function checkKeys(table: Tree, known: readonly string[], path: readonly string[], mistake: Mistake): void {
  for (const key of Object.keys(table)) {
    if (known.includes(key)) continue;
    const near = nearestName(key, known);
    const hint = near === undefined ? `expected ${known.join(", ")}` : `did you mean ${near}?`;
    mistake([...path, key], `unknown key ${JSON.stringify(key.slice(0, 80))}`, hint);
  }
}

function isTable(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
