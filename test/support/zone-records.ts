import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "./folders.ts";
import { isPinned } from "./identity.ts";
import { start } from "./rauha.ts";

/** A runtime directory for tests that look for what invocations leave: the folder of zones' records is there from the beginning. */
export interface RuntimeFolder {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** A zone that was killed is recorded until somebody comes by: the next invocation. */
  comeBy(): Promise<void>;
}

export function makeRuntimeFolder(): RuntimeFolder {
  const folder = makeFolder("runtime");
  const records = join(folder, "rauha/zones");
  mkdirSync(records, { recursive: true, mode: 0o700 });
  const env = { XDG_RUNTIME_DIR: folder, TMPDIR: folder };
  const comeBy = async () => {
    if (isPinned || readdirSync(records).length > 0) await start(["sandbox", "--", "true"], { env }).exited;
  };
  return { folder, env, comeBy };
}
