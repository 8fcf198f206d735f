/** Preloaded by `bun test` (bunfig.toml): what tests made in the temporary folder is gone afterwards. */
import { afterAll } from "bun:test";
import { removeFolders } from "./folders.ts";

afterAll(removeFolders);
