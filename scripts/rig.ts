/**
 * The VM rig: boots a kernel that can do all that Rauha uses, with this checkout in it, and runs the suites there.
 *
 *   bun scripts/rig.ts test | run -- COMMAND | shell | prepare      (--help says more; docs/rig.md explains)
 *
 * Reading order: rig/prepare.ts puts a guest together, rig/guest.ts lives its life, rig/guest/init.sh is its other end.
 */
import { runCommand, shellCommand, testCommand } from "./rig/commands.ts";
import { HELP, parseOptions } from "./rig/options.ts";
import { prepareRig } from "./rig/prepare.ts";
import { EXIT, RigError, UsageError } from "./rig/rig-error.ts";

const say = (text: string): void => {
  process.stderr.write(`rig: ${text}\n`);
};

async function main(argv: readonly string[]): Promise<number> {
  const { verb, options } = parseOptions(argv);
  switch (verb) {
    case "test":
      return await testCommand(options, say);
    case "run":
      return await runCommand(options, say);
    case "shell":
      return await shellCommand(options, say);
    case "prepare":
      await prepareRig(say);
      return EXIT.ok;
    case "help":
      process.stdout.write(HELP);
      return EXIT.ok;
  }
}

// What goes into the guest must be readable there, whatever the developer's own habit is.
process.umask(0o022);
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    say(`${error.message}; try --help`);
    process.exitCode = EXIT.usage;
  } else if (error instanceof RigError) {
    if (error.details !== "") process.stderr.write(`${error.details}\n`);
    say(error.message);
    process.exitCode = EXIT.rigFailed;
  } else throw error;
}
