import type { EndedStart } from "../../run/start/ended-start.ts";
import { keyOf, slotOf } from "../../run/start/key.ts";
import { makeRecord } from "../../run/start/make-record.ts";
import { endedPlainly } from "../../run/start/plain-end.ts";
import type { StartIdentity } from "../../run/start/record.ts";
import { variablesOf } from "../../run/start/variables.ts";
import { isTerminal } from "../ffi.ts";
import { userNamespace } from "../probe/id-range.ts";
import { readSmallFile } from "../small-file.ts";
import { buildId } from "./front.ts";
import { writeSegment } from "./segment.ts";

/** Keeps a start for the native front, if another one with the same options would be the same but for names, command and output. */
export async function rememberStart(start: EndedStart): Promise<void> {
  const { inputs, report, result, options } = start;
  const { request, policy, facts } = inputs;
  const build = buildId();
  if (build === undefined) return;
  // Segments that nobody has attached are gone at once then.
  if (readSmallFile("/proc/sys/kernel/shm_rmid_forced", 16)?.startsWith("1") === true) return;
  if (process.getuid?.() !== facts.uid || process.getgid?.() !== facts.gid) return;
  // What is given on the command line to be known in the zone alone is kept nowhere.
  if (request.env.length + request.envPass.length > 0) return;
  if (request.io.mode !== "capture" || inputs.network !== undefined || inputs.lsm !== undefined) return;
  if (!endedPlainly(report, result)) return;
  const variables = variablesOf(policy.env.pass, facts.env);
  const record = await makeRecord(start, { build: BigInt(`0x${build}`), identity: identityOf(start), variables });
  if (record === undefined) return;
  writeSegment(keyOf(facts.uid, slotOf(options, facts.cwd)), record, facts.uid);
}

/** The planner's own facts. */
function identityOf({ inputs: { facts } }: EndedStart): StartIdentity {
  const { uid, gid, capabilities, landlockAbi, cwd } = facts;
  const seccomp = facts.seccomp.ok;
  const userNamespaceInode = BigInt(userNamespace());
  return {
    uid,
    gid,
    capabilities,
    userNamespace: userNamespaceInode,
    landlockAbi,
    seccomp,
    stdinIsTerminal: isTerminal(0),
    cwd,
  };
}
