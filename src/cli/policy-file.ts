import { closeSync, openSync, readSync, statSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import type { Diagnostic, Origin } from "../run/diagnostic.ts";
import type { LoadedPolicy as Extended } from "../run/policy/chain.ts";
import { maxPolicyBytes } from "../run/policy/decode.ts";
import { parsePolicy } from "../run/policy/parse.ts";
import type { Policy } from "../run/policy/policy.ts";
import { shippedPolicies } from "../run/policy/shipped.gen.ts";
import type { Consulted } from "../run/start/consulted.ts";
import { oneLine } from "./words.ts";

/** A policy, or everything that is wrong with it. */
export type LoadedPolicy =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Who named the policy; a policy of a policy command has no flag to point to. */
export interface PolicyQuestion {
  readonly cwd: string;
  readonly origin?: Origin | undefined;
  /** Hears of every file that is read. */
  readonly consulted?: Consulted | undefined;
}

type Bytes = { readonly ok: true; readonly bytes: Uint8Array } | ({ readonly ok: false } & FileProblem);

interface FileProblem {
  readonly code: "not_found" | "permission" | "invalid_policy";
  readonly message: string;
  readonly hint?: string;
}

/** A policy file of the user's, parsed; or everything that is wrong with it. */
export function readPolicyFile(name: string, { cwd, origin, consulted }: PolicyQuestion): LoadedPolicy {
  const file = normalize(name);
  const first = readBounded(resolve(cwd, file), consulted);
  if (!first.ok) {
    const { code, message, hint } = first;
    return { ok: false, diagnostics: [{ code, message: `${oneLine(file)}: ${message}`, hint, origin }] };
  }
  return parsePolicy(first.bytes, {
    file,
    directory: dirname(resolve(cwd, file)),
    shipped: shippedPolicies,
    sha256: (bytes) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex"),
    loadExtends: (extended, fromFile) => readExtended(extended, fromFile, { cwd, consulted }),
  });
}

/** `extends = "./base.toml"` is taken from the directory of the file that says it. */
function readExtended(name: string, fromFile: string, { cwd, consulted }: PolicyQuestion): Extended {
  const file = name.startsWith("/") ? normalize(name) : join(dirname(fromFile), name);
  const read = readBounded(resolve(cwd, file), consulted);
  if (!read.ok) return { ok: false, message: `${oneLine(file)}: ${read.message}`, hint: read.hint };
  return { ok: true, text: read.bytes, file, directory: dirname(resolve(cwd, file)) };
}

/** Whether a word names a plain file, seen from `cwd`. */
export function isFile(name: string, cwd: string): boolean {
  return statSync(resolve(cwd, name), { throwIfNoEntry: false })?.isFile() ?? false;
}

/** The file's bytes up to one more than a policy may have: neither a huge file nor /dev/zero is read whole. */
function readBounded(path: string, consulted: Consulted | undefined): Bytes {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const buffer = new Uint8Array(maxPolicyBytes + 1);
    let length = 0;
    while (length < buffer.length) {
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      if (count === 0) break;
      length += count;
    }
    if (length > maxPolicyBytes)
      return { ok: false, code: "invalid_policy", message: "is larger than the 64 KiB that a policy may have" };
    const bytes = buffer.subarray(0, length);
    consulted?.read(path, buffer.length, bytes);
    return { ok: true, bytes };
  } catch (error) {
    return { ok: false, ...problemOf(error) };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function problemOf(error: unknown): FileProblem {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return {
        code: "not_found",
        message: "there is no such file",
        hint: "a policy is the name of a shipped one, or a TOML file",
      };
    case "EACCES":
    case "EPERM":
      return { code: "permission", message: "you may not read the file" };
    case "EISDIR":
      return { code: "invalid_policy", message: "is a directory; expected a TOML file" };
    default:
      return { code: "invalid_policy", message: `can't be read (${code || String(error)})` };
  }
}
