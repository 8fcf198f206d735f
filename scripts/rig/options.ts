/** The rig's command line. */
import { parseArgs } from "node:util";
import { UsageError } from "./rig-error.ts";
import { IDENTITIES, type Identity } from "./suites.ts";

export const HELP = `usage: bun scripts/rig.ts test [--filter TEXT]... [--name REGEX] [--junit FILE] [--brief] [--as root|user|pinned] [--timeout SECONDS]
       bun scripts/rig.ts run [--as root|user] [--timeout SECONDS] -- COMMAND [ARGUMENT...]
       bun scripts/rig.ts shell [--as root|user]
       bun scripts/rig.ts prepare

A virtual machine with Debian's kernel, this checkout in /opt/rauha, and what is installed here.
test runs test/{zone,escape,contract,kernel} in it, as root, as an ordinary user, and as root with the BPF programs set up ("pinned"),
of which --brief leaves out what takes long;
prepare only makes what a boot needs.

Exit code: 0; 1 a test failed; 2 usage; 3 the rig failed (no kernel, no boot, a dead guest); of run and shell: the command's own.
RAUHA_RIG_ACCEL=kvm|tcg forces hardware or emulated processors.
`;

const COMMANDS = ["test", "run", "shell", "prepare"] as const;
export type Command = (typeof COMMANDS)[number];

export interface RigOptions {
  readonly command: readonly string[];
  readonly filters: readonly string[];
  readonly namePattern: string | null;
  readonly brief: boolean;
  readonly junit: string | null;
  readonly identities: readonly Identity[];
  readonly timeoutMs: number | null;
}

export interface Invocation {
  readonly verb: Command | "help";
  readonly options: RigOptions;
}

export function parseOptions(argv: readonly string[]): Invocation {
  const split = argv.indexOf("--");
  const own = split < 0 ? argv : argv.slice(0, split);
  const { values, positionals } = parse(own);
  const [verb, ...rest] = positionals;
  const help = values.help === true || verb === undefined;
  const known = COMMANDS.find((name) => name === verb);
  if (!help && known === undefined) throw new UsageError(`no command "${verb}"; there are ${COMMANDS.join(", ")}`);
  if (rest.length > 0) throw new UsageError(`"${rest[0]}" is not expected here; a command goes after --`);
  return {
    verb: help || known === undefined ? "help" : known,
    options: {
      command: split < 0 ? [] : argv.slice(split + 1),
      filters: values.filter ?? [],
      namePattern: values.name ?? null,
      brief: values.brief === true,
      junit: values.junit ?? null,
      identities: identities(values.as),
      timeoutMs: values.timeout === undefined ? null : milliseconds(values.timeout),
    },
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        filter: { type: "string", multiple: true },
        name: { type: "string" },
        brief: { type: "boolean" },
        junit: { type: "string" },
        as: { type: "string" },
        timeout: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function identities(text: string | undefined): readonly Identity[] {
  if (text === undefined) return IDENTITIES;
  const one = IDENTITIES.find((identity) => identity === text);
  if (one === undefined) throw new UsageError(`--as is "${text}", expected root, user or pinned`);
  return [one];
}

function milliseconds(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new UsageError(`--timeout is "${text}", expected seconds`);
  return Number(text) * 1000;
}
