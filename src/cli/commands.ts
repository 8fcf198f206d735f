import { type CommandDef, defineCommand, runCommand } from "citty";
import { answer, refuse } from "./commands/answer.ts";
import type { CommandInput } from "./commands/command.ts";
import { checkGroup, checkOperands, type Route, routeCommand } from "./commands/route.ts";
import { rootSpec } from "./commands/table.ts";
import { printVersion } from "./commands/version.ts";
import { parseFlags } from "./flags/parse.ts";
import { renderHelp } from "./help/render.ts";
import type { Ports } from "./ports.ts";
import { styleFor } from "./words.ts";

/** The code of every command, each loaded when it is run. Names and options are in `commands/table.ts`. */
const tree = defineCommand({
  subCommands: {
    policy: defineCommand({
      subCommands: {
        show: () => import("./commands/policy-show.ts").then((module) => module.policyShow),
        check: () => import("./commands/policy-check.ts").then((module) => module.policyCheck),
        learn: () => import("./commands/policy-learn.ts").then((module) => module.policyLearn),
      },
    }),
    image: defineCommand({
      subCommands: {
        pull: () => import("./commands/image-pull.ts").then((module) => module.imagePull),
        ls: () => import("./commands/image-ls.ts").then((module) => module.imageLs),
        inspect: () => import("./commands/image-inspect.ts").then((module) => module.imageInspect),
        import: () => import("./commands/image-import.ts").then((module) => module.imageImport),
        rm: () => import("./commands/image-rm.ts").then((module) => module.imageRm),
        prune: () => import("./commands/image-rm.ts").then((module) => module.imagePrune),
      },
    }),
    doctor: () => import("./commands/doctor.ts").then((module) => module.doctor),
    changes: () => import("./commands/changes.ts").then((module) => module.changes),
    diff: () => import("./commands/diff.ts").then((module) => module.diff),
    apply: () => import("./commands/apply.ts").then((module) => module.apply),
    discard: () => import("./commands/discard.ts").then((module) => module.discard),
    setup: () => import("./commands/setup.ts").then((module) => module.setup),
    schema: () => import("./commands/schema.ts").then((module) => module.schema),
    completions: () => import("./commands/completions.ts").then((module) => module.completions),
    help: () => import("./commands/help.ts").then((module) => module.help),
  },
});

/** Runs any command but `sandbox`, whose hot path has no need of a tree, and answers `rauha sandbox --help`. Resolves to the exit code. */
export async function runCommandTree(argv: readonly string[], ports: Ports): Promise<number> {
  const end = argv.indexOf("--");
  const json = (end < 0 ? argv : argv.slice(0, end)).includes("--json");
  try {
    return await runRoute(routeCommand(rootSpec, argv), ports, json);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const hint =
      "this is a mistake in Rauha itself; please report it with the command line and the output of rauha --version";
    return refuse(ports, [{ code: "internal", message, hint }], json);
  }
}

async function runRoute(route: Route, ports: Ports, json: boolean): Promise<number> {
  if (route.kind === "wrong") return refuse(ports, [route.diagnostic], json);
  const { path, spec, rest } = route;
  const name = ["rauha", ...path].join(" ");
  const takesCommand = spec.operands?.some(({ kind }) => kind === "command") ?? false;
  const operandRule = takesCommand || route.kind === "group" ? "command" : "mixed";
  const parsed = parseFlags(rest, spec.flags, { cwd: ports.cwd, operands: operandRule });
  const { given, operands } = parsed;
  if (given.one("help")) return answer(ports, renderHelp(name, spec, styleFor(ports.isTerminal(1), ports.env)));
  const isVersion = route.kind === "group" && given.one("version") === true;
  const mistakes = isVersion
    ? parsed.diagnostics
    : route.kind === "group"
      ? checkGroup(route, parsed)
      : [...parsed.diagnostics, ...(takesCommand ? [] : checkOperands(path, spec, operands))];
  if (mistakes.length > 0) return refuse(ports, mistakes, json);
  if (isVersion) return printVersion(ports, json);
  const input: CommandInput = { given, operands, json: given.one("json") === true, ports };
  const { result } = await runCommand(await findCommand(path), { rawArgs: [], data: input });
  return result as number;
}

/** The leaf of the tree at a path that the table has. */
async function findCommand(path: readonly string[]): Promise<CommandDef> {
  let node: CommandDef = tree;
  for (const word of path) {
    const subCommands =
      (typeof node.subCommands === "function" ? await node.subCommands() : await node.subCommands) ?? {};
    const next = Object.hasOwn(subCommands, word) ? subCommands[word] : undefined;
    if (next === undefined) throw new Error(`no code for rauha ${path.join(" ")}`);
    node = typeof next === "function" ? await next() : await next;
  }
  return node;
}
