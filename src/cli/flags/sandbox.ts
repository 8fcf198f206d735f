import type { Diagnostic } from "../../run/diagnostic.ts";
import type { ImageWish } from "../../run/image.ts";
import type { RequestLimits, SandboxRequest, ViewEntry } from "../../run/request.ts";
import type { GivenFlags } from "./given.ts";
import { parseFlags } from "./parse.ts";
import { quote } from "./quote.ts";
import { defaultMaxOutputBytes, sandboxFlags } from "./sandbox-table.ts";
import { numbersHint } from "./values.ts";

/** A request without what the runner draws and computes itself. */
export type UnnamedRequest = Omit<SandboxRequest, "taskId" | "zoneId" | "commandHash" | "copyOnWrite" | "filtered">;

/** An image as a command line names it. */
export interface NamedImage extends Omit<ImageWish, "dry"> {
  /** What stands before the command in place of the image's entrypoint and command; empty: nothing. */
  readonly entrypoint?: string | undefined;
}

/** One `rauha sandbox` command line, checked for form. */
export interface SandboxInvocation extends ResultTargets {
  readonly request: UnnamedRequest;
  /** A shipped policy's name or a file, as written. */
  readonly policyName: string;
  readonly explain: boolean;
  /** The image that is the root. */
  readonly image?: NamedImage | undefined;
  /** What happens to the changes of copy-on-write directories when the task succeeds. */
  readonly onSuccess: "keep" | "apply" | "discard";
  /** Absolute. */
  readonly patchFile?: string | undefined;
  /** --help was given: print help, whatever else is right or wrong. The request is empty then. */
  readonly help: boolean;
}

/** Where the result goes; known as well as may be even when the rest of the command line is wrong. */
export interface ResultTargets {
  /** Absent: neither --json nor --no-json was given. */
  readonly json?: boolean | undefined;
  /** Absolute. */
  readonly resultFile?: string | undefined;
  readonly resultFd?: number | undefined;
}

/** A command line that is right, or every mistake in it. */
export type SandboxParse =
  | { readonly ok: true; readonly invocation: SandboxInvocation }
  | (ResultTargets & {
      readonly ok: false;
      readonly diagnostics: readonly Diagnostic[];
      /** The command as far as it could be made out, for the result. */
      readonly command: readonly string[];
    });

type Given = GivenFlags<typeof sandboxFlags>;

/**
 * Reads the arguments that follow `rauha sandbox`. Imports nothing but tables and text functions: this is the hot path.
 * The command begins after `--`, or at the first argument that is no option.
 */
export function parseSandboxArgs(argv: readonly string[], { cwd }: { readonly cwd: string }): SandboxParse {
  const { given, operands: command, diagnostics } = parseFlags(argv, sandboxFlags, { cwd, operands: "command" });
  const targets: ResultTargets = {
    json: given.one("json"),
    resultFile: given.one("result"),
    resultFd: given.one("result-fd"),
  };
  const help = given.one("help") ?? false;
  const all = help ? [] : [...diagnostics, ...checkTogether(given), ...checkCommand(command, given.met("image"))];
  if (all.length > 0) return { ok: false, diagnostics: all, command, ...targets };
  return { ok: true, invocation: { ...invocationOf(given, command), help, ...targets } };
}

/** The same for a command that takes the options of `rauha sandbox` among its own, already parsed. */
export function readSandboxFlags(given: Given, command: readonly string[]): SandboxParse {
  const diagnostics = [...checkTogether(given), ...checkCommand(command, given.met("image"))];
  if (diagnostics.length > 0) return { ok: false, diagnostics, command };
  return { ok: true, invocation: { ...invocationOf(given, command), help: false } };
}

function invocationOf(given: Given, command: readonly string[]): Omit<SandboxInvocation, "help"> {
  return {
    request: { command, ...requestOf(given) },
    policyName: given.one("policy") ?? "task",
    explain: given.one("explain") ?? false,
    image: imageOf(given),
    onSuccess: given.one("on-success") ?? "keep",
    patchFile: given.one("patch"),
  };
}

function requestOf(given: Given): Omit<UnnamedRequest, "command"> {
  const network = given.one("network");
  const tty = given.one("tty") ?? false;
  const stream = given.one("stream") ?? false;
  return {
    repo: repoOf(given),
    workdir: given.one("workdir"),
    timeoutMs: given.one("timeout"),
    env: given.all("env"),
    envPass: given.all("env-pass"),
    view: viewOf(given),
    network: network === "isolated" ? "none" : network,
    allowDomains: given.met("allow-domain") ? given.all("allow-domain") : undefined,
    allowEgress: given.met("allow-egress") ? given.all("allow-egress") : undefined,
    publish: given.met("publish") ? given.all("publish") : undefined,
    user: idsOf(given),
    hostname: given.one("hostname"),
    limits: limitsOf(given),
    io: {
      mode: tty ? "pty" : stream ? "stream" : "capture",
      stdin: stream || (given.one("interactive") ?? false),
      maxOutputBytes: given.one("max-output") ?? defaultMaxOutputBytes,
    },
  };
}

function imageOf(given: Given): SandboxInvocation["image"] {
  const reference = given.one("image");
  if (reference === undefined) return undefined;
  const user = given.one("user");
  return {
    reference,
    pull: given.one("pull") ?? "missing",
    platform: given.one("platform"),
    user: user !== undefined && "named" in user ? user.named : undefined,
    entrypoint: given.one("entrypoint"),
  };
}

function idsOf(given: Given): SandboxRequest["user"] {
  const user = given.one("user");
  return user !== undefined && "uid" in user ? user : undefined;
}

function repoOf(given: Given): SandboxRequest["repo"] {
  const repo = given.flag("repo-path");
  if (repo === undefined) return undefined;
  return { path: repo.value, mode: given.one("repo-mode") ?? "overlay", origin: repo.origin };
}

/** The options of the view in the order of the command line, since a later one may lie below an earlier one. */
function viewOf(given: Given): ViewEntry[] {
  const entries: ViewEntry[] = [];
  for (const flag of given.inOrder) {
    const { origin } = flag;
    switch (flag.name) {
      case "ro-bind":
      case "rw-bind":
      case "overlay-bind":
        entries.push({ kind: flag.name, ...flag.value, origin });
        break;
      case "tmpfs":
      case "dir":
        entries.push({ kind: flag.name, target: flag.value, origin });
        break;
      case "symlink":
        entries.push({ kind: flag.name, ...flag.value, origin });
        break;
    }
  }
  return entries;
}

function limitsOf(given: Given): RequestLimits {
  return {
    memoryBytes: given.one("memory"),
    cpus: given.one("cpus"),
    pids: given.one("pids"),
    cpuSeconds: given.one("limit-cpu"),
    asBytes: given.one("limit-as"),
    fsizeBytes: given.one("limit-fsize"),
    nofile: given.one("limit-nofile"),
    coreBytes: given.one("limit-core"),
  };
}

/** Options that are right alone and wrong together. */
function checkTogether(given: Given): Diagnostic[] {
  const found: Diagnostic[] = [];
  const [repo, mode] = [given.flag("repo-path"), given.flag("repo-mode")];
  if (mode !== undefined && !given.met("repo-path")) {
    found.push({
      code: "usage",
      message: "--repo-mode has no workspace to apply to",
      hint: "add --repo-path DIR",
      origin: mode.origin,
    });
  }
  for (const name of ["pull", "platform", "entrypoint"] as const) {
    const flag = given.flag(name);
    if (flag === undefined || given.met("image")) continue;
    const message = `--${name} has no image to apply to`;
    found.push({ code: "usage", message, hint: "add --image REF", origin: flag.origin });
  }
  const user = given.flag("user");
  if (user !== undefined && "named" in user.value && !given.met("image")) {
    const message = `--user: ${quote(user.value.named)} is not UID[:GID] in numbers`;
    found.push({ code: "invalid_argument", message, hint: numbersHint, origin: user.origin });
  }
  const overlays = given.met("overlay-bind") || (repo !== undefined && (mode?.value ?? "overlay") === "overlay");
  for (const name of ["on-success", "patch"] as const) {
    const flag = given.flag(name);
    if (flag === undefined || overlays) continue;
    const message = "there are no changes to keep apart: nothing is shown copy-on-write";
    found.push({ code: "usage", message, hint: "add --repo-path DIR (its mode is overlay)", origin: flag.origin });
  }
  const patch = given.flag("patch");
  if (patch !== undefined && patch.value === given.one("result")) {
    const message = "--patch and --result name the same file, where one would take the place of the other";
    found.push({ code: "usage", message, hint: "name two files", origin: patch.origin });
  }
  const [tty, stream] = [given.flag("tty"), given.flag("stream")];
  if (tty !== undefined && stream !== undefined) {
    found.push({
      code: "usage",
      message: "--tty gives the task a terminal of its own, --stream your own streams; one excludes the other",
      hint: "keep one of them",
      origin: tty.origin,
    });
  }
  return found;
}

/** An image may bring the command. */
function checkCommand(command: readonly string[], optional: boolean): Diagnostic[] {
  const hint = "write it last: rauha sandbox [options] -- command [arguments...]";
  const [program] = command;
  if (program === undefined) return optional ? [] : [{ code: "usage", message: "no command was given", hint }];
  if (program === "") return [{ code: "usage", message: "the command's name is empty", hint }];
  if (dashes.includes(program.charAt(0))) {
    const message = `${quote(program)} begins with a dash that is not the keyboard's -`;
    return [{ code: "usage", message, hint: "options begin with -" }];
  }
  return [];
}

/** Dashes that word processors make of `-`, and the minus sign. */
const dashes = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212";
