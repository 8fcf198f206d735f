import { addOp, keep, type PlanDraft, refuse, zoneOrigin } from "../draft.ts";

/** CLONE_NEW* of clone(2). */
const cloneFlag = {
  mount: 0x00020000,
  cgroup: 0x02000000,
  uts: 0x04000000,
  ipc: 0x08000000,
  user: 0x10000000,
  pid: 0x20000000,
  network: 0x40000000,
} as const;

/** Namespaces of the zone. All of them, always, but for what only a privileged policy of root's leaves out: user and network. */
export function planNamespaces(draft: PlanDraft): void {
  const { facts, policy } = draft;
  if (draft.ownUserNamespace && !facts.userNamespaces.ok) {
    refuse(
      draft,
      "unenforceable",
      `a zone needs a user namespace, and this host gives none: ${facts.userNamespaces.reason}`,
      { kind: "host", what: "user namespaces" },
      facts.userNamespaces.fix,
    );
  }
  if (policy.zone.type === "privileged" && !facts.privileged) {
    refuse(
      draft,
      "permission",
      "a policy of type privileged runs without a user namespace, which only root may do",
      { kind: "policy", policy: policy.name, key: "zone.type" },
      "run as root, or choose a policy of type non-global",
    );
  }
  const kinds = (Object.keys(cloneFlag) as (keyof typeof cloneFlag)[]).filter(
    (kind) =>
      (kind !== "user" || draft.ownUserNamespace) && (kind !== "network" || draft.network?.ownNamespace !== false),
  );
  const flags = kinds.reduce((mask, kind) => mask | cloneFlag[kind], 0);
  const op = addOp(draft, { op: "namespaces", flags }, zoneOrigin("namespaces"), `own ${kinds.join(", ")} namespaces`);
  for (const kind of kinds) {
    const detail = kind === "user" && draft.request.ids !== undefined ? ", subordinate ids by newuidmap" : "";
    keep(draft, `${kind}_namespace`, "namespace", [op], detail);
  }
}
