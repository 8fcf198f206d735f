import { capabilityNumber } from "../../capabilities.ts";
import { policyOrigin } from "../../policy/policy.ts";
import { identityFlag } from "../contract.ts";
import { addOp, keep, type PlanDraft, refuse, zoneOrigin } from "../draft.ts";
import { taskIds } from "./identity.ts";

/** Who the task is. */
export function planIdentity(draft: PlanDraft): void {
  const { facts, request } = draft;
  const { uid, gid } = taskIds(draft);
  const origin = request.user === undefined ? zoneOrigin("identity") : ({ kind: "flag", flag: "--user" } as const);
  // setgroups(2) is denied where an ordinary user maps his one id. With subordinate ids he keeps his groups, which have no number
  // inside, unless the image gives him others: setgroups(2) can't set both.
  const mapped = facts.privileged || request.ids !== undefined;
  const supplementary = request.user === undefined && mapped ? (request.image?.user.groups ?? []) : [];
  const groups = supplementary.map(String);
  const flags = facts.privileged || groups.length > 0 ? identityFlag.setgroups : 0;
  addOp(draft, { op: "identity", uid, gid, groups, umask: 0o022, flags }, origin, `uid ${uid}, gid ${gid}`);
  if (facts.privileged && draft.ownUserNamespace && Math.max(uid, gid) > 65535) {
    refuse(draft, "invalid_argument", `id ${Math.max(uid, gid)} is not one of the zone's: 0 to 65535`, origin);
  }
}

/** What the task may do: capabilities and no_new_privs. */
export function planCapabilities(draft: PlanDraft): void {
  const { facts, policy } = draft;
  let mask = 0n;
  policy.capabilities.allowed.forEach((name, index) => {
    const number = capabilityNumber(name);
    if (number !== undefined) mask |= 1n << BigInt(number);
    else {
      const key = policyOrigin(policy, `capabilities.allowed[${index}]`);
      refuse(draft, "invalid_policy", `${name} is not a capability`, key);
    }
  });
  if (!draft.ownUserNamespace && (mask & ~facts.capabilities) !== 0n) {
    const lacking = policy.capabilities.allowed.filter((name) => {
      const number = capabilityNumber(name);
      return number !== undefined && (facts.capabilities & (1n << BigInt(number))) === 0n;
    });
    const message = `the caller does not have ${lacking.join(", ")} to give`;
    refuse(
      draft,
      "unenforceable",
      message,
      policyOrigin(policy, "capabilities.allowed"),
      "leave them out of the policy",
    );
  }
  const key = policyOrigin(policy, "capabilities.allowed");
  const words = mask === 0n ? "no capabilities" : `only ${policy.capabilities.allowed.join(", ")}`;
  const op = addOp(draft, { op: "capabilities", mask }, key, words);
  keep(draft, "capabilities", "sets", [op]);
  keep(draft, "no_new_privs", "prctl", [op]);
}
