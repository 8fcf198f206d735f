import type { Diagnostic } from "../../run/diagnostic.ts";
import { parseSubids } from "../../run/ids/subid-file.ts";
import type { IdRange, OwnIds } from "../../run/ids/zone-ids.ts";
import { errnoName } from "../../run/report/errno.ts";
import { canAccess, flag } from "../ffi.ts";
import { readWholeFile } from "../small-file.ts";

/** The subordinate ids of the caller, or why there are none to be had. */
export type OwnIdsOutcome =
  | { readonly ok: true; readonly ids: OwnIds }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

const fileBytes = 1 << 20;
/** Where distributions have them; what stands in PATH comes first, as with other programs that call them. */
const usualFolders = ["/usr/bin", "/bin", "/usr/local/bin", "/run/wrappers/bin"];

/** The two helpers, or which of them is missing. */
export type HelpersOutcome =
  | { readonly ok: true; readonly helpers: Pick<OwnIds, "newuidmap" | "newgidmap"> }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Where newuidmap and newgidmap are. */
export function idHelpers(env: Readonly<Record<string, string | undefined>>): HelpersOutcome {
  const folders = [...(env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/")), ...usualFolders];
  const find = (name: string) =>
    folders.map((folder) => `${folder}/${name}`).find((path) => canAccess(path, flag.X_OK)) ?? name;
  const helpers = { newuidmap: find("newuidmap"), newgidmap: find("newgidmap") };
  const missing = Object.values(helpers).filter((path) => !path.startsWith("/"));
  if (missing.length === 0) return { ok: true, helpers };
  const message = `${missing.join(" and ")} can't be found, neither in PATH nor in ${usualFolders.join(", ")}`;
  const hint = "sudo apt-get install uidmap (in other distributions: shadow-utils)";
  return { ok: false, diagnostics: [{ code: "unenforceable", message, hint }] };
}

/** The ids that the caller may map by them, or all that is missing for it. Nothing is tried: the programs and the kernel have the last word. */
export function readOwnIds(env: Readonly<Record<string, string | undefined>>): OwnIdsOutcome {
  const found = idHelpers(env);
  const diagnostics: Diagnostic[] = found.ok ? [] : [...found.diagnostics];
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const name = userName(uid);
  const ranges = (file: string, own: number): readonly IdRange[] => {
    const text = readText(file);
    if (typeof text === "number" && text !== ENOENT) {
      diagnostics.push({ code: "unenforceable", message: `${file} can't be read: ${errnoName(text)}` });
      return [];
    }
    const parsed = parseSubids(typeof text === "number" ? "" : text, file, { name, uid, own });
    diagnostics.push(...parsed.diagnostics);
    return parsed.ranges;
  };
  const [uids, gids] = [ranges("/etc/subuid", uid), ranges("/etc/subgid", gid)];
  if (!found.ok || diagnostics.length > 0) return { ok: false, diagnostics };
  return { ok: true, ids: { uid, gid, uids, gids, ...found.helpers } };
}

const ENOENT = 2;

function readText(file: string): string | number {
  const bytes = readWholeFile(file, fileBytes);
  return typeof bytes === "number" ? -bytes : new TextDecoder().decode(bytes);
}

/** The caller's name as /etc/passwd has it; $USER is the caller's to set. */
function userName(uid: number): string | undefined {
  const text = readText("/etc/passwd");
  if (typeof text === "number") return undefined;
  return text
    .split("\n")
    .map((line) => line.split(":"))
    .find((fields) => fields[2] === String(uid))?.[0];
}
