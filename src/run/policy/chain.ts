import type { Diagnostic } from "../diagnostic.ts";
import { quoteShort } from "./form.ts";
import { didYouMean } from "./names.ts";
import type { Policy } from "./policy.ts";
import { type PolicyText, readSource } from "./read-source.ts";
import { mistake, type PolicySource } from "./source.ts";

/** What `extends` leads to: the files, the one that was asked for first, and the shipped policy at the end, if there is one. */
export interface PolicyChain {
  readonly sources: readonly PolicySource[];
  readonly base: Policy | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** The file that `extends` names, or why there is none. `file` must be the same for the same file, whoever names it. */
export type LoadedPolicy =
  | ({ readonly ok: true } & PolicyText)
  | { readonly ok: false; readonly message: string; readonly hint?: string | undefined };

/** Where policies that others extend come from. */
export interface ChainOptions {
  /** The shipped policies by name (`shipped.gen.ts`). */
  readonly shipped: Readonly<Record<string, Policy>>;
  /** Reads the file of `extends = "./name.toml"` said in `fromFile`. The core itself reads no files. */
  loadExtends(name: string, fromFile: string): LoadedPolicy;
}

/** Files between the one asked for and the end of its chain. */
export const maxExtends = 8;

/** Reads a policy and all that it extends, each once, down to a shipped one or to nothing; with every mistake on the way. */
export function readChain(first: PolicyText, options: ChainOptions): PolicyChain {
  const sources: PolicySource[] = [];
  const diagnostics: Diagnostic[] = [];
  const end = (base?: Policy): PolicyChain => ({ sources, base, diagnostics });
  for (let text = first; ; ) {
    const source = readSource(text);
    sources.push(source);
    diagnostics.push(...source.diagnostics);
    const name = source.tree["extends"];
    if (typeof name !== "string" || name === "") return end();
    const refuse = (message: string, hint?: string) => {
      diagnostics.push(mistake(source, ["extends"], "value", message, hint));
      return end();
    };
    if (isShippedName(name)) {
      if (Object.hasOwn(options.shipped, name)) return end(options.shipped[name]);
      const names = Object.keys(options.shipped);
      const hint =
        didYouMean(name, names) ?? `there are ${names.join(", ")}; for a file write ${quoteShort(`./${name}`)}`;
      return refuse(`there is no shipped policy ${quoteShort(name)}`, hint);
    }
    if (sources.length > maxExtends)
      return refuse(`more than ${maxExtends} policies extend each other`, "say it in fewer files");
    const loaded = options.loadExtends(name, source.file);
    if (!loaded.ok) return refuse(loaded.message, loaded.hint);
    const again = sources.findIndex(({ file }) => file === loaded.file);
    if (again >= 0) {
      const files = [...sources.slice(again).map(({ file }) => file), loaded.file];
      return refuse(`policies extend each other in a circle: ${files.join(" → ")}`);
    }
    text = loaded;
  }
}

/** `extends` names a shipped policy unless it looks like a path. */
function isShippedName(name: string): boolean {
  return !name.includes("/") && !name.endsWith(".toml");
}
