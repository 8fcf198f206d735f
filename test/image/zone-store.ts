/** A store of a test's own, and images in it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { type Caller, type Ended, type Run, rauha, sandbox } from "../support/rauha.ts";
import { type BuiltImage, buildImage } from "./image-builder.ts";

export interface TestStore {
  readonly root: string;
  /** Builds an image and imports it under this name; the layout that it came from. */
  add(name: string, image: BuiltImage): Promise<string>;
  rauha(args: readonly string[], caller?: Caller): Promise<Ended>;
  run(name: string, command: readonly string[], flags?: readonly string[], caller?: Caller): Promise<Run>;
  /** What there is of unpacked layers, and of any that were on their way. */
  layers(): string[];
  work(): string[];
}

/** A new store; `env` is what its callers have besides. */
export function testStore(env: Readonly<Record<string, string>> = {}): TestStore {
  const root = join(makeFolder("store"), "images");
  const withStore = (caller: Caller = {}): Caller => ({ ...caller, env: { RAUHA_STORE: root, ...env, ...caller.env } });
  const list = (folder: string): string[] => {
    try {
      return readdirSync(join(root, "layers", folder));
    } catch {
      return [];
    }
  };
  return {
    root,
    async add(name, image) {
      const layout = buildImage(makeFolder("layout"), "test", image).replace(/:test$/, "");
      const { exitCode, stderr } = await rauha(["image", "import", layout, name], withStore());
      if (exitCode !== 0) throw new Error(`import of ${name}: ${stderr}`);
      return layout;
    },
    rauha: (args, caller) => rauha(args, withStore(caller)),
    run: (name, command, flags = [], caller = {}) =>
      sandbox(["--image", name, "--pull", "never", ...flags], command, withStore(caller)),
    layers: () => [...list("sha256"), ...list("sha512")],
    work: () => list("work"),
  };
}
