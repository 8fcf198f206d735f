import type { Backend } from "../run/backend.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import type { HostFacts } from "../run/host-facts.ts";
import type { LsmRun } from "../run/lsm.ts";
import type { SandboxRequest } from "../run/request.ts";

/** The BPF-LSM side of a run; `run` is undefined, and nothing is loaded, where no programs are pinned. */
export async function openLsmRun(
  backend: Backend,
  request: SandboxRequest,
  facts: HostFacts,
): Promise<
  | { readonly ok: true; readonly run: LsmRun | undefined }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }
> {
  if (!facts.bpfLsm.ok) return { ok: true, run: undefined };
  const opened = (await backend.lsm())(request, facts.cgroup);
  return opened.ok ? opened : { ok: false, diagnostics: [opened.problem] };
}
