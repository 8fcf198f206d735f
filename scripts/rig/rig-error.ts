/** Exit codes of the rig. A caller tells by them "the code under test is wrong" from "nothing could be tested". */
export const EXIT = { ok: 0, testsFailed: 1, usage: 2, rigFailed: 3 } as const;

/**
 * The rig itself failed: no kernel, no image, no boot. It is never a test failure, so it has its own exit code.
 * `details` is what the failed program or the guest's console said last; it is printed below the message.
 */
export class RigError extends Error {
  readonly details: string;

  constructor(message: string, details = "") {
    super(message);
    this.name = "RigError";
    this.details = details;
  }
}

/** The command line can't be understood. */
export class UsageError extends Error {}
