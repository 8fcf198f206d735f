import { mountFlag } from "../contract.ts";
import { addOp, type PlanDraft, refuse, zoneOrigin } from "../draft.ts";
import { idmapFlags, taskIds } from "./identity.ts";

/** As many as docker allows; overlayfs itself takes 500. */
const maximumLayers = 128;

/** A root from an image: shared, read-only layers under a layer that is this zone's own and lies on its root tmpfs. */
export function planImageRoot(draft: PlanDraft): void {
  const { request, facts } = draft;
  const { image } = request;
  if (image === undefined) return;
  const origin = { kind: "flag", flag: "--image" } as const;
  const { layers } = image;
  if (layers.length === 0 || layers.length > maximumLayers) {
    const message = `the image has ${layers.length} layers: 1 to ${maximumLayers} can be stacked`;
    refuse(draft, "invalid_image", message, origin, "rebuild it with fewer layers");
    return;
  }
  const flags = mountFlag.readOnly | mountFlag.expectDir | idmapFlags(draft, false);
  layers.forEach(({ tree, name }, index) => {
    const op = { op: "layer", source: tree, target: String(index), flags } as const;
    addOp(draft, op, origin, `layer ${index + 1} of ${layers.length}: ${name}, read-only`);
  });
  const root = { op: "image", layers: layers.length } as const;
  addOp(draft, root, origin, `${image.reference} as the root; what the task writes goes with the zone`);
  if (isBefore(facts.kernel, 6, 6)) {
    const message = `Linux ${facts.kernel} keeps no attributes on a tmpfs (6.6 does): in this zone a directory of the image that was removed can't be made again`;
    draft.warnings.push({ code: "unenforceable", message, origin });
  }
}

/** What the image's own files say about who and where the zone is gives way; its accounts stay. */
export function planImageFiles(draft: PlanDraft, files: Readonly<Record<string, string>>): void {
  const encoder = new TextEncoder();
  for (const target of ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"]) {
    const content = encoder.encode(files[target] ?? "");
    const op = { op: "file", target, mode: 0o644, content } as const;
    addOp(draft, op, zoneOrigin("identity files"), `${target} of the zone's own`);
  }
  const { image, workdir } = draft.request;
  const make = (target: string, flag: string, what: string) =>
    addOp(draft, { op: "dir", target, mode: 0o755 }, { kind: "flag", flag }, `${target}, ${what}`);
  for (const volume of image?.volumes ?? []) make(volume, "--image", "a volume of the image, without one of its own");
  const own = image?.workingDir;
  if (workdir !== undefined && workdir !== "/") make(workdir, "--workdir", "where the task starts");
  else if (workdir === undefined && own !== undefined) make(own, "--image", "where the image's command starts");
}

/** The top-level names that are not the image's: mounts of the zone's own, and the file that Landlock is tried on. */
export function foreignPlaces(draft: PlanDraft, probe: string): string[] {
  const places = new Set([probe]);
  for (const { op } of draft.ops) {
    if (op.op === "root" || op.op === "image" || op.op === "layer" || op.op === "file" || op.op === "dir") continue;
    if (!("target" in op) || op.target.lastIndexOf("/") !== 0) continue;
    if (op.op !== "symlink") places.add(op.target);
  }
  return [...places];
}

/** Variables of the image's user, as login programs set them. */
export function imageEnvironment(draft: PlanDraft): Record<string, string> {
  const { image, user } = draft.request;
  if (image === undefined) return {};
  const named = user === undefined ? image.user : undefined;
  const fallback = taskIds(draft).uid === 0 ? { name: "root", home: "/root" } : { name: "user", home: "/" };
  const name = named?.name ?? fallback.name;
  const env: Record<string, string> = { HOME: named?.home ?? fallback.home, USER: name, LOGNAME: name };
  Object.setPrototypeOf(env, null);
  for (const { name: key, value } of image.env) env[key] = value;
  return env;
}

function isBefore(release: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
  return a < major || (a === major && b < minor);
}
