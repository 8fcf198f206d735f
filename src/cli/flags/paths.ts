import { normalPath } from "../../run/absolute-path.ts";
import type { Checked, ValueOf } from "./flag.ts";
import { quote } from "./quote.ts";

/**
 * Paths as options take them. `node:path` is left out on purpose: loading it costs the hot path more than these lines.
 * `.` and `..` are resolved in the text, as docker does, before anything is opened.
 */

/** A path of the host as an option named it, relative to the caller's directory. */
export function parseHostPath(text: string, cwd: string): Checked<string> {
  if (text === "") return { ok: false, message: "the path is empty" };
  if (text === "~" || text.startsWith("~/")) {
    return {
      ok: false,
      message: `${quote(text)} begins with ~, which the shell left as it is`,
      hint: 'write "$HOME" instead of ~, or ./~ for a directory of that name',
    };
  }
  return bounded(normalPath(text.startsWith("/") ? text : `${cwd}/${text}`));
}

/** An absolute path inside the zone. */
export function parseZonePath(text: string, cwd: string): Checked<string> {
  if (text === "") return { ok: false, message: "the path is empty" };
  if (!text.startsWith("/")) {
    return {
      ok: false,
      message: `${quote(text)} is not an absolute path inside the zone`,
      hint: `begin it with /, for example ${normalPath(`${cwd}/${text}`)}`,
    };
  }
  return bounded(normalPath(text));
}

/** PATH_MAX of the kernel without its NUL, path_resolution(7). */
const longestPath = 4095;

function bounded(path: string): Checked<string> {
  // Each of a string's units is three bytes of UTF-8 at the most.
  if (path.length * 3 <= longestPath || new TextEncoder().encode(path).length <= longestPath)
    return { ok: true, value: path };
  return { ok: false, message: `${quote(path)} is longer than the ${longestPath} bytes that a path may have` };
}

/** A place inside the zone that an option puts something at: anything but its root, which is the zone's own. */
export function parseZonePlace(text: string, cwd: string): Checked<string> {
  const path = parseZonePath(text, cwd);
  return path.ok && path.value === "/" ? rootTaken : path;
}

const rootTaken = {
  ok: false,
  message: "/ is the zone's own root, and nothing can be put in its place",
  hint: "name a directory below it; what the root holds is chosen by filesystem.root of the policy",
} as const;

/** `SRC[:DST]`. A colon that belongs to a path is written `\:`, a backslash before it `\\`. */
export function parseBind(text: string, cwd: string, flag: string): Checked<ValueOf["bind"]> {
  const [source, target, ...rest] = splitAtColons(text);
  const suffix = rest.at(-1) ?? (target !== undefined && /^(ro|rw|z|Z)$/.test(target) ? target : undefined);
  if (suffix === "ro" || suffix === "rw") {
    const place = rest.length === 0 ? `${source}` : `${source}:${target}`;
    return {
      ok: false,
      message: `${quote(text)} ends with :${suffix}; read-only or writable is said by the option's name here`,
      hint: `write --${suffix}-bind ${place}`,
    };
  }
  if (rest.length > 0 || suffix !== undefined) {
    return {
      ok: false,
      message: `${quote(text)} has more parts than SRC[:DST]`,
      hint: "a colon that belongs to a path is written \\:",
    };
  }
  if (source === undefined || source === "") {
    return { ok: false, message: `${quote(text)} has no source; expected SRC[:DST]`, hint: `write --${flag} /path` };
  }
  const from = parseHostPath(source, cwd);
  if (!from.ok) return from;
  if (target === undefined && from.value === "/") return { ...rootTaken, hint: `write /:/host to see it there` };
  if (target === undefined) return { ok: true, value: { source: from.value, target: from.value } };
  const to = parseZonePlace(target, cwd);
  if (!to.ok) return { ...to, message: `destination ${to.message}` };
  return { ok: true, value: { source: from.value, target: to.value } };
}

/** `TARGET:LINK`. */
export function parseSymlink(text: string, cwd: string): Checked<ValueOf["symlink"]> {
  const [value, link, ...rest] = splitAtColons(text);
  if (value === undefined || value === "" || link === undefined || rest.length > 0) {
    return {
      ok: false,
      message: `${quote(text)} is not TARGET:LINK`,
      hint: "what the symlink says, a colon, and where it lies: --symlink usr/bin:/bin; a colon in a path is written \\:",
    };
  }
  const target = parseZonePlace(link, cwd);
  if (!target.ok) return { ...target, message: `link ${target.message}` };
  const says = bounded(value);
  return says.ok ? { ok: true, value: { value, target: target.value } } : says;
}

function splitAtColons(text: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    const next = text.charAt(i + 1);
    if (c === ":") {
      parts.push(part);
      part = "";
    } else if (c === "\\" && (next === ":" || next === "\\")) {
      part += next;
      i++;
    } else part += c;
  }
  return [...parts, part];
}
