import type { SubordinateIds } from "../ids/readiness.ts";
import type { Finding, HostInputs } from "./finding.ts";

/** How many ids image zones have, and what would give an ordinary user's more than one. */
export function checkSubordinateIds({ facts, ids }: HostInputs): Finding[] {
  const finding = { check: "subordinate_ids", needed: false } as const;
  if (facts.privileged) {
    return [{ ...finding, state: "enforced", summary: "image zones have ids 0 to 65535 of their own", fix: null }];
  }
  if (ids === undefined) return [];
  const { asked, problems } = ids;
  const one = "image zones have one id, this user's, and all files of an image are his";
  const why = problems.map(({ message }) => message).join("; ");
  const fix = problems.flatMap(({ hint }) => (hint?.startsWith("sudo ") ? [hint] : [])).at(0) ?? null;
  if (asked === undefined) {
    if (problems.length > 0) return [{ ...finding, state: "fallback", summary: `${one}: ${why}`, fix: null }];
    const summary = `${one}; ${words(ids)} can be used, and no registries.toml asks for them`;
    return [{ ...finding, state: "fallback", summary, fix: askFix }];
  }
  if (problems.length > 0) {
    return [
      { ...finding, state: "unavailable", summary: `no image runs: ${asked} asks for subordinate ids: ${why}`, fix },
    ];
  }
  return [{ ...finding, state: "enforced", summary: `image zones have ${words(ids)}, as ${asked} says`, fix: null }];
}

const askFix = "mkdir -p ~/.config/rauha && printf '[ids]\\nsubordinate = true\\n' >> ~/.config/rauha/registries.toml";

function words({ last }: SubordinateIds): string {
  return `ids 0 to ${last} by newuidmap`;
}
