import type { Backend } from "../run/backend.ts";

/** What a command may touch of the outside: given by main.ts, made up by tests. */
export interface Ports {
  /** Writes all of the text to one of the caller's descriptors. */
  readonly write: (fd: number, text: string) => void;
  readonly isTerminal: (fd: number) => boolean;
  /** Loads the backend of this platform. */
  readonly backend: () => Promise<Backend>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}
