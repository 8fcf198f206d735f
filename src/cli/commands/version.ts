import type { Ports } from "../ports.ts";
import { answer } from "./answer.ts";

/** Prints which rauha this is, and which launcher it carries. */
export async function printVersion(ports: Ports, json: boolean): Promise<number> {
  const { version, commit, launcherSha256 } = await import("../../../build/build-info.json");
  if (json) return answer(ports, `${JSON.stringify({ version, commit, launcher_sha256: launcherSha256 })}\n`);
  return answer(ports, `rauha ${version} (commit ${commit}, launcher sha256:${launcherSha256})\n`);
}
