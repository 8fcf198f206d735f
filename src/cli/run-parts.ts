import type { Backend } from "../run/backend.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import type { PlanInputs } from "../run/plan/draft.ts";
import type { SandboxRequest } from "../run/request.ts";
import type { RunPart } from "../run/run-part.ts";
import type { SandboxInvocation } from "./flags/sandbox.ts";
import { hasGitFile } from "./git-file.ts";

/** What a command line says of the parts of its run, besides the request. */
export type PartsWish = Pick<SandboxInvocation, "image" | "explain" | "onSuccess" | "patchFile">;

/** The parts of one run, and the plan's inputs with what each of them brings; `stage` is where a refusal belongs. */
export type OpenedParts =
  | { readonly ok: true; readonly inputs: PlanInputs; readonly parts: readonly RunPart[] }
  | { readonly ok: false; readonly stage: "image" | "plan"; readonly diagnostics: readonly Diagnostic[] };

/**
 * The list of what a run may have besides its zone. Only what this run needs is loaded, so that the hot path pays for none of it; and
 * opening a part makes nothing.
 */
export async function openParts(backend: Backend, given: PlanInputs, wish: PartsWish): Promise<OpenedParts> {
  const parts: RunPart[] = [];
  let inputs = given;
  if (wish.image !== undefined) {
    const rooted = await (await import("./image-run.ts")).withImage(backend, inputs, wish.image, wish.explain);
    if (!rooted.ok) return { ok: false, stage: "image", diagnostics: rooted.diagnostics };
    inputs = rooted.inputs;
  }
  const { request, policy, facts } = inputs;
  const mode = request.network ?? policy.network.mode;
  if (mode !== "none") {
    const { part, network } = await (await import("./network-run.ts")).openNetworkRun(backend, inputs, mode);
    inputs = { ...inputs, network: part };
    if (network !== undefined) parts.push({ network });
  }
  if ((request.repo !== undefined || request.view.length > 0) && touchesFiles(request, backend.io)) {
    const workspace = await (await import("./workspace-run.ts")).openWorkspaceRun(backend, inputs, wish);
    inputs = workspace.inputs;
    parts.push(...workspace.parts);
    if (request.ids !== undefined) parts.push((await import("./reclaim-layers.ts")).reclaimedLayers(backend));
  }
  // Last: what it guards is then made already.
  if (facts.bpfLsm.ok) {
    // Where the network mode knows better what the zone may send to, that stands for the policy's list.
    const allowedEgress = inputs.network?.reach ?? policy.network.allowedEgress;
    const meant = { ...policy, network: { ...policy.network, mode, allowedEgress } };
    const opened = await (await backend.lsm())(request.zoneId, meant, facts.cgroup);
    if (!opened.ok) return { ok: false, stage: "plan", diagnostics: [opened.problem] };
    inputs = { ...inputs, lsm: opened.run };
    parts.push(opened.run);
  }
  return { ok: true, inputs, parts };
}

/**
 * Whether a run has anything to do with the host's files: a workspace that can change, or whose git directory lies elsewhere, or
 * copy-on-write directories.
 */
function touchesFiles({ repo, view }: SandboxRequest, io: Backend["io"]): boolean {
  if (repo !== undefined && (repo.mode !== "ro" || hasGitFile(repo.path, io))) return true;
  return view.some(({ kind }) => kind === "overlay-bind");
}
