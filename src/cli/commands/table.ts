import { everyFlags, everyGroups, helpOnly } from "./every-command.ts";
import { imageSpec } from "./image-spec.ts";
import { policyLearnSpec } from "./policy-learn-spec.ts";
import { sandboxSpec } from "./sandbox-spec.ts";
import type { CommandSpec, CommandTable } from "./spec.ts";
import { unavailableCommands, unavailablePolicyCommands } from "./unavailable.ts";
import { workspaceSpecs } from "./workspace-spec.ts";

export const shells = ["bash", "zsh", "fish"] as const;
export const schemaNames = ["result", "event", "policy"] as const;

const okOrNot = [
  ["0", "valid"],
  ["2", "the command line must be written differently"],
  ["125", "not valid, or the file can't be read"],
] as const;

const policySpec: CommandSpec = {
  summary: "Show, check and learn policies",
  flags: helpOnly,
  groups: everyGroups,
  examples: [{ line: "rauha policy show task", says: "what the default policy allows" }],
  subcommands: {
    show: {
      summary: "Print a policy with every default filled in; without a name, list the shipped ones",
      operands: [{ metavar: "NAME|FILE", kind: "policy", required: false }],
      flags: {
        zone: {
          group: "options",
          kind: "text",
          metavar: "ZONE",
          description: "Print the policy of this live zone",
          unavailable: true,
        },
        ...everyFlags,
      },
      groups: everyGroups,
      examples: [
        { line: "rauha policy show", says: "the shipped policies" },
        { line: "rauha policy show strict", says: "one of them, as TOML" },
        { line: "rauha policy show ./mine.toml --json", says: "a file of yours after `extends` and defaults" },
      ],
    },
    check: {
      summary: "Check a policy file and report every mistake with its line and column",
      operands: [{ metavar: "FILE", kind: "policy-file", required: true }],
      flags: everyFlags,
      groups: everyGroups,
      exitCodes: okOrNot,
      examples: [{ line: "rauha policy check mine.toml", says: "silence about a mistake means there is none" }],
    },
    learn: policyLearnSpec,
    ...unavailablePolicyCommands,
  },
};

export const commandTable: CommandTable = {
  sandbox: sandboxSpec,
  policy: policySpec,
  doctor: {
    summary: "What this host can enforce, what is missing, and the exact command that fixes it",
    about: ["Ends by running `true` in a zone with the policy `task`, since some refusals only show by trying."],
    flags: everyFlags,
    groups: everyGroups,
    exitCodes: [
      ["0", "the policy `task` can be enforced here"],
      ["1", "it can't; the output says why"],
    ],
    examples: [
      { line: "rauha doctor", says: "for people" },
      {
        line: "rauha doctor --json | jq -r '.findings[] | select(.fix) | .fix'",
        says: "the commands that improve this host",
      },
    ],
  },
  image: imageSpec,
  setup: {
    summary: "Load and pin the BPF programs by which the kernel itself guards zones, or take them away",
    about: [
      "For root, on Linux 6.1 or newer with CONFIG_BPF_LSM and bpf among the active security modules. Before anything is pinned, an attack " +
        "from a throw-away zone must be denied. The same again changes nothing; a newer Rauha replaces the programs without a moment in " +
        "which there are none.",
      "From then on every zone that root runs is guarded by them; without them no zone of root's runs until they are removed or repaired.",
    ],
    flags: {
      remove: {
        group: "options",
        kind: "boolean",
        description: "Take programs and maps away; refused while zones live",
      },
      ...everyFlags,
    },
    groups: everyGroups,
    exitCodes: [
      ["0", "the programs are pinned, or with --remove gone"],
      ["125", "this host can't; nothing was changed, and the words say what is missing"],
    ],
    examples: [
      { line: "sudo rauha setup", says: "load, try and pin" },
      { line: "sudo rauha setup --remove", says: "take everything away" },
    ],
  },
  ...workspaceSpecs,
  schema: {
    summary: "Print the JSON Schema of a result, an event or a policy",
    operands: [{ metavar: schemaNames.join("|"), kind: "schema", required: true, values: schemaNames }],
    flags: everyFlags,
    groups: everyGroups,
    examples: [{ line: "rauha schema result > result.schema.json", says: "for validators and code generators" }],
  },
  completions: {
    summary: "Print a completion script for your shell",
    operands: [{ metavar: shells.join("|"), kind: "shell", required: true, values: shells }],
    flags: helpOnly,
    groups: everyGroups,
    examples: [
      { line: "source <(rauha completions bash)", says: "in ~/.bashrc" },
      { line: "rauha completions zsh > ~/.zfunc/_rauha", says: "a directory of $fpath, before compinit" },
      { line: "rauha completions fish > ~/.config/fish/completions/rauha.fish", says: "fish loads it by itself" },
    ],
  },
  help: {
    summary: "Print help for a command",
    operands: [
      { metavar: "COMMAND", kind: "command-name", required: false },
      { metavar: "SUBCOMMAND", kind: "command-name", required: false },
    ],
    flags: helpOnly,
    groups: everyGroups,
    examples: [{ line: "rauha help sandbox", says: "the same as rauha sandbox --help" }],
  },
  ...unavailableCommands,
};

/** `rauha` itself. */
export const rootSpec: CommandSpec = {
  summary: "An agent sandbox: runs a task in a zone and hands back one structured result",
  operands: [{ metavar: "COMMAND", kind: "command-name", required: true }],
  flags: {
    version: {
      group: "options",
      kind: "boolean",
      short: "V",
      description: "Print version, commit and the launcher's hash",
    },
    json: { group: "options", kind: "boolean", description: "With --version: as JSON" },
    help: everyFlags.help,
  },
  groups: everyGroups,
  examples: [
    { line: "rauha sandbox -- echo hello", says: "run a command in a zone" },
    { line: "rauha sandbox --repo-path . --repo-mode rw -- make test", says: "work on the files of this directory" },
    { line: "rauha doctor", says: "see what this host can enforce" },
  ],
  subcommands: commandTable,
};
