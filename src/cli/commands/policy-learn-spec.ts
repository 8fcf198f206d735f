import type { FlagTable } from "../flags/flag.ts";
import { sandboxFlags, sandboxGroups } from "../flags/sandbox-table.ts";
import type { CommandSpec } from "./spec.ts";

/** Options of `rauha sandbox` that mean nothing where a policy is the result. */
const {
  explain,
  result,
  "result-fd": resultFd,
  "on-success": onSuccess,
  patch,
  stream,
  tty,
  ...taskFlags
} = sandboxFlags;
void [explain, result, resultFd, onSuccess, patch, stream, tty];

export const policyLearnFlags = {
  rounds: {
    group: "learn",
    kind: "integer",
    metavar: "N",
    min: 1,
    max: 20,
    description: "Run the command again under what was learned, until nothing new comes up, at most so often",
    default: "1",
  },
  ...taskFlags,
} as const satisfies FlagTable;

/** `rauha policy learn` in words. */
export const policyLearnSpec: CommandSpec = {
  summary: "Run a command and print the smallest policy that would let it pass",
  about: [
    "Runs the command in a zone under the given policy, as `rauha sandbox` would, and watches what it uses. Nothing is loosened: " +
      "what was refused is refused, and only printed as the TOML of a policy on stdout. The command's own output goes to stderr.",
    "What was refused to a command that ended well all the same was not needed: it stands in comments. With --rounds the command " +
      "runs several times, each in a fresh zone, under what was learned so far. Watched calls are slower than others.",
    "Environment variables and limits can't be learned. Writable paths are scratch directories, gone with the zone.",
    "With --image, what the image has or could have is the image's matter: of the host's files only those are learned that lie " +
      "outside of a system's directories (/usr, /etc, /var, …).",
  ],
  operands: [{ metavar: "command", kind: "command", required: true }],
  flags: policyLearnFlags,
  groups: { learn: "Learning", ...sandboxGroups },
  exitCodes: [
    ["0-255", "the command's own, of its last run"],
    ["125", "Rauha could not set the zone up; nothing is printed"],
  ],
  examples: [
    { line: "rauha policy learn -- make test > mine.toml", says: "what the build needs beyond the policy `task`" },
    { line: "rauha policy learn --image node:22 -- npm test", says: "what it needs in a zone of that image" },
    { line: "rauha policy learn --rounds 5 --policy strict -- ./job", says: "again and again, until it passes" },
  ],
};
