/** A build that stops for a reason its reader can act on: printed as it is, without a stack trace. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}
