/** docs/enforcement.md: rule by rule which mechanism enforces it on which kernel, from the table that the planner takes its words from. */
import { abiSteps } from "../../src/run/landlock/abi.ts";
import { enforcement } from "../../src/run/plan/enforcement.ts";
import { capabilityCalls } from "../../src/run/seccomp/capability-calls.gen.ts";
import type { GeneratedFile } from "./generator.ts";

const introduction = `# What enforces what

<!-- Generated from src/run/plan/enforcement.ts and src/run/landlock/abi.ts by scripts/generate/enforcement-docs.ts; don't edit. -->

Every rule of a zone is a promise with a name. A result lists each in \`guarantees\`: \`enforced\` and by which mechanism, \`not_requested\`, or
\`unavailable\` and why. A rule that this host can't enforce is refused before anything runs (exit code 125); only what no rule asked for can
be \`unavailable\`. \`rauha sandbox --explain\` shows the promises of a command line, \`rauha doctor\` what the host has.

Linux 5.13 with Landlock and seccomp is the least that zones run on. "Kernel" is the version that brought the mechanism.
`;

const landlockLimits = `## What Landlock can't do

Mounts and Landlock both enforce the view of the file system, and either alone still holds, but for these, which rest on the mounts alone:

- **Read-only or denied places inside a writable tree.** A rule allows a directory with all that is below it, and nothing can be taken back:
  a read-only bind below \`/tmp\`, or a denied path in a writable workspace. In read-only trees denied paths are cut out of the rules.
- **New names in the root of an image.** What a rule lets be made in \`/\` it lets be made everywhere below, in mounts too: with one, nothing
  but the mounts would hold. No ABI up to 7 (Linux 6.15) can take that back below. So each top-level name of an image has a rule of its own, and
  new names beside them are denied (EACCES); \`filesystem_rules\` says so in every result. \`--dir\`, \`--tmpfs\`, binds and \`writable_paths\` make
  such directories beforehand ([ADR 63](adr/0063-new-names-in-the-root-of-an-image-stay-denied.md)).
- **Names.** Programs list \`/\`, so listing is allowed everywhere: without the mask that hides it, the names in a denied directory could be
  read, its files could not.
- **Unix sockets with a path.** Up to Linux 6.18 Landlock is not asked when one is connected to: \`allowed_sockets\` are what the mounts show.
- **Kernel knobs below \`/proc\`.** Programs write to their own \`/proc/self\`; that \`/proc/sys\` is read-only is the mounts' doing.
- **What a rule is about is the file, not the path.** A second way to a file that a rule allows is allowed too.
- **stat, chdir, chmod, chown, utime, xattr, fcntl and access** are no rights of Landlock's.

What it denies besides: POSIX message queues. mq_open(3) opens a file of a file system that is mounted in no zone, so no rule can name its
root, and it is EACCES in every zone. A container engine mounts it at \`/dev/mqueue\`; each start of a zone would pay for that mount and its
rule, whoever uses it, and queues count against the caller's own \`RLIMIT_MSGQUEUE\`. System V's message queues work, and unix sockets do.

Landlock's TCP rights are not used while no network mode lets anything out: the network namespace has nothing but its own loopback.

## What is seen

A call that the seccomp filter denies becomes one of \`enforcement_events\`, with the arguments that decided, and the policy key that would
allow it. The first 256 are told one by one, the rest is counted, and \`trust_level\` is then \`partial\`. What the mounts hide and what Landlock
denies the task sees as an error (ENOENT, EROFS, EACCES) and nobody else does: the kernel tells of Landlock's denials in the audit log
alone (Linux 6.15), which takes privilege to read. The guarantee \`denial_events\` says so in every result. \`rauha policy learn\` finds those
by running the command.
`;

export function generateEnforcementDocs(): readonly GeneratedFile[] {
  const rows = Object.entries(enforcement).flatMap(([name, { rules, means }]) => {
    return Object.values(means as Readonly<Record<string, Means>>).map(({ words, kernel, when, effect }, index) => {
      return [index === 0 ? `\`${name}\`` : "", index === 0 ? rules : "", words, kernel, when, effect];
    });
  });
  const opened = new Map<string, Set<string>>();
  for (const { capability, names, conditions } of capabilityCalls()) {
    const calls = opened.get(capability) ?? new Set();
    for (const name of names) calls.add(`\`${name}\`${conditions.length > 0 ? " (some)" : ""}`);
    opened.set(capability, calls);
  }
  const content = [
    introduction,
    "## Rule by rule",
    "",
    ...table(["guarantee", "rules", "mechanism", "kernel", "who, when", "what a break meets"], rows),
    "## Landlock, by ABI",
    "",
    "Each ABI denies what those before it do, and more. What the running kernel's lacks is in `filesystem_rules`.",
    "",
    ...table(
      ["ABI", "Linux", "denies as well"],
      abiSteps.map(({ abi, kernel, brings }) => [String(abi), kernel, brings]),
    ),
    landlockLimits,
    "## Calls that a capability opens",
    "",
    "The default profile (`policies/seccomp/default.json`) opens these to zones whose policy has the capability. The kernel still asks for the",
    "capability itself, in the zone's own user namespace. `syscalls.allow` opens any call by name.",
    "",
    ...table(
      ["capability", "calls"],
      [...opened].map(([capability, calls]) => [`\`${capability}\``, [...calls].join(", ")]),
    ),
  ].join("\n");
  return [{ path: "docs/enforcement.md", content: `${content.trimEnd()}\n` }];
}

interface Means {
  readonly words: string;
  readonly kernel: string;
  readonly when: string;
  readonly effect: string;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line), ""];
}
