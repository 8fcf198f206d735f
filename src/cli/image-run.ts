import type { Backend, HostIo } from "../run/backend.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import type { ImageAudience } from "../run/image.ts";
import type { PlanInputs } from "../run/plan/draft.ts";
import type { NamedImage } from "./flags/sandbox.ts";
import { commandHash } from "./ids.ts";
import { oneLine } from "./words.ts";

/** Inputs with the image in them, or why there is none. */
export type WithImage =
  | { readonly ok: true; readonly inputs: PlanInputs }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Where an image zone has the workspace. */
const workspace = "/workspace";
const stderr = 2;

/** A plan's inputs with what the image brings filled in: docker's rules for entrypoint and command. `dry`: nothing is pulled or mounted. */
export async function withImage(
  backend: Backend,
  inputs: PlanInputs,
  { entrypoint: given, ...wish }: NamedImage,
  dry: boolean,
): Promise<WithImage> {
  const images = await backend.images();
  const { request } = inputs;
  const ids = request.user && { uid: request.user.uid, gid: request.user.gid ?? request.user.uid };
  const outcome = await images.prepare({ ...wish, ids, dry }, inputs.policy, audience(backend.io));
  if (!outcome.ok) return outcome;
  const { entrypoint, cmd, maps, ...image } = outcome.image;
  const before = given === undefined ? entrypoint : given === "" ? [] : [given];
  // As with docker, whose --entrypoint takes the image's command away with its entrypoint.
  const command = [...before, ...(request.command.length > 0 || given !== undefined ? request.command : cmd)];
  if (command.length === 0) {
    const message = `the image ${wish.reference} brings no command, and none was given`;
    const hint = `write it last: rauha sandbox --image ${wish.reference} -- command [arguments...]`;
    return { ok: false, diagnostics: [{ code: "usage", message, hint, origin: { kind: "flag", flag: "--image" } }] };
  }
  const repo = request.repo === undefined ? undefined : { ...request.repo, target: workspace };
  const named = { ...request, command, commandHash: commandHash(command), repo, image, ids: maps };
  if (maps !== undefined) {
    const { groupsLost, otherGroups } = await import("./image-groups.ts");
    const words = groupsLost(named, otherGroups());
    if (words !== undefined) audience(backend.io).say(words);
  }
  return { ok: true, inputs: { ...inputs, request: named } };
}

/** Lines on stderr, and on a terminal the bars of `rauha image pull`; loaded when there is something to draw. */
function audience(io: Pick<HostIo, "write" | "isTerminal">): ImageAudience {
  const write = (fd: number, text: string) => {
    io.write(fd, new TextEncoder().encode(text));
  };
  const say = (line: string) => write(stderr, `rauha: ${oneLine(line)}\n`);
  if (!io.isTerminal(stderr) || process.env["TERM"] === "dumb") return { say };
  return { say, bars: async () => (await import("./image-bars.ts")).openPullBars({ write }) };
}
