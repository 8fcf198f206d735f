import type { Diagnostic } from "../../diagnostic.ts";
import { ioMode, ioStdin } from "../contract.ts";
import { addOp, keep, type PlanDraft, zoneOrigin } from "../draft.ts";
import { taskIds } from "./identity.ts";
import { imageEnvironment } from "./image.ts";

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Streams, start directory, environment and command of the task. */
export function planTask(draft: PlanDraft): void {
  const { request } = draft;
  const { mode, stdin, maxOutputBytes } = request.io;
  const io = {
    op: "io",
    mode: ioMode[mode],
    stdin: stdin ? ioStdin.caller : ioStdin.none,
    max_output: maxOutputBytes,
  } as const;
  addOp(draft, io, zoneOrigin("streams"), `streams: ${mode}`);
  const flagged = request.workdir !== undefined;
  const { repo, image } = request;
  const path = request.workdir ?? repo?.target ?? repo?.path ?? image?.workingDir ?? "/";
  const origin = flagged ? ({ kind: "flag", flag: "--workdir" } as const) : (repo?.origin ?? zoneOrigin("start"));
  addOp(draft, { op: "workdir", path }, origin, `start in ${path}`);
  const env = Object.entries(taskEnvironment(draft)).map(([name, value]) => `${name}=${value}`);
  const exec = { op: "exec", argv: request.command, env } as const;
  const op = addOp(draft, exec, zoneOrigin("command"), `run ${request.command[0] ?? ""}`);
  keep(draft, "environment", "execve", [op]);
  keep(draft, "file_descriptors", "closeRange", [op]);
}

/** What the task's environment holds: the zone's defaults, what policy and flags pass through, what policy and flags set. */
export function taskEnvironment(draft: PlanDraft): Record<string, string> {
  const { request, policy, facts } = draft;
  const uid = taskIds(draft).uid;
  const user = uid === 0 ? "root" : facts.userName;
  const env: Record<string, string> = {
    PATH: defaultPath,
    HOME: "/tmp",
    USER: user,
    LOGNAME: user,
    container: "rauha",
    ...imageEnvironment(draft),
  };
  // `__proto__` is a variable's name like any other, and `toString` is none of the caller's only because objects have it.
  Object.setPrototypeOf(env, null);
  if (request.io.mode === "pty") env["TERM"] = facts.env["TERM"] ?? "xterm";
  const { image } = request;
  // What an image says for itself (LANG, for one: it knows its locales) is the caller's to change by asking for it, not by having one.
  const passed =
    image === undefined
      ? policy.env.pass
      : policy.env.pass.filter((name) => image.env.every((own) => own.name !== name));
  for (const name of [...passed, ...request.envPass]) {
    const value = Object.hasOwn(facts.env, name) ? facts.env[name] : undefined;
    if (value !== undefined) {
      env[name] = value;
      if (value.includes("\ufffd")) draft.warnings.push(notText(name));
    } else if (request.envPass.includes(name)) {
      const message = `--env-pass ${name}: the caller has no such variable`;
      draft.warnings.push({ code: "not_found", message, origin: { kind: "flag", flag: "--env-pass" } });
    }
  }
  Object.assign(env, policy.env.set);
  for (const { name, value } of request.env) env[name] = value;
  return env;
}

/** The runtime reads the caller's environment as UTF-8. */
function notText(name: string): Diagnostic {
  const message = `the value of ${name} is not all UTF-8, and the task gets U+FFFD in the place of what is not`;
  return {
    code: "unsupported",
    message,
    origin: { kind: "host", what: name },
    hint: `set it with --env ${name}=VALUE`,
  };
}
