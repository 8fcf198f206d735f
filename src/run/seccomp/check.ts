import type { Diagnostic, Origin } from "../diagnostic.ts";
import { didYouMean } from "../policy/names.ts";
import { letsPass } from "./action.ts";
import type { SeccompProfile, SeccompRule } from "./profile.ts";
import { foreignSyscalls, nativeSyscalls } from "./syscalls.ts";

/** The policy's lists, and where each entry was said. */
export interface PolicyLists {
  readonly deny: readonly string[];
  readonly allow: readonly string[];
  /** The origin of a key of the policy: `syscalls.deny[2]`. */
  readonly origin?: ((key: string) => Origin) | undefined;
}

/** Names of `syscalls.deny` and `syscalls.allow` that are no system calls, or are in both. */
export function checkLists({ deny, allow, origin }: PolicyLists): Diagnostic[] {
  const native = nativeSyscalls();
  const from = (key: string): Origin => origin?.(key) ?? { kind: "policy", policy: "", key };
  const unknown = (list: readonly string[], key: string): Diagnostic[] =>
    list.flatMap((name, index) =>
      native.has(name) ? [] : [unknownName(name, native, from(`syscalls.${key}[${index}]`))],
    );
  const both = allow.flatMap((name, index): Diagnostic[] => {
    const at = deny.indexOf(name);
    if (at < 0) return [];
    const message = `"${name}" is allowed here and denied by syscalls.deny[${at}]`;
    const hint = "a system call is in one of the two lists";
    return [{ code: "invalid_policy", message, origin: from(`syscalls.allow[${index}]`), hint }];
  });
  return [...unknown(deny, "deny"), ...unknown(allow, "allow"), ...both];
}

/**
 * Names in a profile's rules that no architecture has: an error where passing over the name would let a call through that
 * the author meant to stop, else a warning, for a profile may well be newer than this table.
 */
export function checkProfileNames(profile: SeccompProfile): { errors: Diagnostic[]; warnings: Diagnostic[] } {
  const native = nativeSyscalls();
  const known = native.union(foreignSyscalls());
  const errors: Diagnostic[] = [];
  const warnings: Diagnostic[] = [];
  for (const rule of profile.rules) {
    const stricter = !letsPass(rule.action);
    for (const name of rule.names.filter((name) => !known.has(name))) {
      const found = unknownName(name, native, placeOf(rule));
      if (stricter && letsPass(profile.defaultAction)) errors.push(found);
      else warnings.push({ ...found, message: `${found.message}: it stays denied` });
    }
  }
  return { errors, warnings };
}

function unknownName(name: string, names: ReadonlySet<string>, origin: Origin | undefined): Diagnostic {
  const hint = didYouMean(name, [...names]) ?? "names are those of Linux on x86_64 and aarch64";
  return { code: "invalid_policy", message: `"${name}" is not a system call`, origin, hint };
}

function placeOf({ place }: SeccompRule): Origin | undefined {
  if (!place) return undefined;
  return { kind: "policy", policy: "", key: place.pointer, file: place.file, line: place.line, column: 1 };
}
