import type { Diagnostic, ErrorCode } from "../run/diagnostic.ts";

/** A refusal in src/image on its way up: it carries what the command line prints. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(({ message }) => message).join("; "));
    this.diagnostics = diagnostics;
  }

  /** The first of them; there is always one. */
  get diagnostic(): Diagnostic {
    return this.diagnostics[0] ?? { code: "internal", message: "an image was refused without a reason" };
  }
}

/** Throws a refusal. */
export function refuse(code: ErrorCode, message: string, hint?: string): never {
  throw new ImageError([{ code, message, hint }]);
}

/** What was read, or undefined where it is damaged: then it can be fetched anew. */
export async function orDamaged<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ImageError && error.diagnostic.code === "digest_mismatch") return undefined;
    throw error;
  }
}
