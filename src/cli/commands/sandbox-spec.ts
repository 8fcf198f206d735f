import { sandboxFlags, sandboxGroups } from "../flags/sandbox-table.ts";
import type { CommandSpec } from "./spec.ts";

/** `rauha sandbox` in words; its options are `sandboxFlags`. */
export const sandboxSpec: CommandSpec = {
  summary: "Run a command in a zone and hand back one structured result",
  about: [
    "The zone has namespaces of its own, no network, no capabilities, no access to your files or environment but what " +
      "the policy and these options name, and limits on memory, processes and time. It is gone when the command has ended.",
    "The command begins after --, or at the first argument that is no option; its own options are left alone. Options that " +
      "may repeat are marked with …. A relative path is taken from your directory; a colon in a path is written \\:.",
  ],
  operands: [{ metavar: "command", kind: "command", required: true }],
  flags: sandboxFlags,
  groups: sandboxGroups,
  exitCodes: [
    ["0-255", "the command's own; `status` in the result tells it from Rauha's"],
    ["2", "the command line must be written differently"],
    ["1", "besides: it succeeded, and its changes or its result could not be written"],
    ["124", "timed out"],
    ["125", "Rauha could not set the zone up; nothing ran"],
    ["126", "the command was found and can't be executed"],
    ["127", "the command was not found"],
    ["128+N", "the command was killed by signal N"],
  ],
  examples: [
    {
      line: "rauha sandbox -- python3 -c 'print(6 * 7)'",
      says: "run a program; the result is JSON unless stdout is a terminal",
    },
    { line: "rauha sandbox --repo-path . --repo-mode rw -- make test", says: "work on the files of this directory" },
    {
      line: "rauha sandbox --repo-path . --repo-mode ro --timeout 5m -- npm test",
      says: "read them only, for at most five minutes",
    },
    {
      line: "rauha sandbox -b ~/data:/data --memory 1Gi -e MODE=fast -- ./job /data",
      says: "show a directory, cap memory, set a variable",
    },
    { line: "rauha sandbox -it -- bash", says: "a shell inside a zone" },
    { line: "rauha sandbox --stream -- sort < in.txt > out.txt", says: "the task's streams are yours" },
    { line: "rauha sandbox --policy strict --explain -- true", says: "see what would be enforced, and run nothing" },
  ],
};
