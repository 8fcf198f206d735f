import type { Diagnostic } from "../diagnostic.ts";
import { type CompileOptions, compileSeccomp } from "./compile.ts";
import { defaultProfile } from "./default-profile.gen.ts";
import type { SeccompProfile } from "./profile.ts";
import { isAllowed, resolveRanges } from "./resolve.ts";
import { syscallTable } from "./syscalls.ts";

/** The filter of a zone, as `struct sock_filter[]`. */
export interface ZoneFilter {
  readonly filter: Uint8Array;
  /** Denied calls go to a listener, which makes events of them. */
  readonly listen: boolean;
  /** `default`, or the profile's file. */
  readonly profile: string;
  readonly warnings: readonly Diagnostic[];
  /** Allowed calls that are told of besides, as the op `watch` takes them: in a zone that is there to learn from. */
  readonly watched?: Uint8Array | undefined;
}

/** A filter, or why there is none. */
export type ZoneFilterOutcome =
  | { readonly ok: true; readonly filter: ZoneFilter }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

type Options = Omit<CompileOptions, "deniedAction">;
type ReadText = (path: string) => { readonly text: string } | { readonly problem: string };

/** Compiles the filter of a policy that no shipped one has: other capabilities, other lists, or a profile of the user's. */
export async function compileZoneFilter(
  profileName: string,
  options: Options,
  readText: ReadText,
  watch?: (allowed: ReadonlySet<string>) => { readonly names: readonly string[]; readonly calls: Uint8Array },
): Promise<ZoneFilterOutcome> {
  const loaded = profileName === "default" ? defaultProfile : await loadProfile(profileName, options, readText);
  if (Array.isArray(loaded)) return { ok: false, diagnostics: loaded };
  const profile = loaded as SeccompProfile;
  const listen = allowsAlways(profile, options, "sendmsg");
  const watched = listen ? watch?.(allowedCalls(profile, options)) : undefined;
  const deniedAction = listen ? "notify" : "errno";
  const compiled = compileSeccomp(profile, { ...options, deniedAction, watch: watched?.names });
  if (!compiled.ok) return compiled;
  const { filter, warnings } = compiled;
  return { ok: true, filter: { filter, listen, profile: profileName, warnings, watched: watched?.calls } };
}

async function loadProfile(path: string, options: Options, readText: ReadText): Promise<SeccompProfile | Diagnostic[]> {
  const file = readText(path);
  if ("problem" in file) {
    const origin = options.origin?.("syscalls.profile");
    const hint = 'name a file in the containers\' seccomp JSON format, or "default"';
    return [{ code: "not_found", message: `the seccomp profile ${path} can't be read: ${file.problem}`, origin, hint }];
  }
  const { parseSeccompProfile } = await import("./parse.ts");
  const parsed = parseSeccompProfile(file.text, path);
  return parsed.ok ? parsed.profile : [...parsed.diagnostics];
}

/** The calls that are allowed whatever their arguments. */
function allowedCalls(profile: SeccompProfile, options: Options): ReadonlySet<string> {
  const ranges = resolveRanges(profile, { ...options, deniedAction: "errno" });
  const allowed = new Set(ranges.flatMap(({ first, decision }) => (isAllowed(decision) ? [first] : [])));
  return new Set([...syscallTable(options.arch).numbers].flatMap(([name, nr]) => (allowed.has(nr) ? [name] : [])));
}

function allowsAlways(profile: SeccompProfile, options: Options, name: string): boolean {
  const number = syscallTable(options.arch).numbers.get(name);
  const range = resolveRanges(profile, { ...options, deniedAction: "errno" }).find(({ first }) => first === number);
  return range !== undefined && isAllowed(range.decision);
}
