/** The cure that an error names when setting up a zone fails; by steps that the launcher really has. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type PlanOp, stages } from "../../../src/run/plan/contract.ts";
import { planned, policyWith } from "../plan/inputs.ts";
import { cleaned, resultOf } from "./run.ts";

const launcher = join(import.meta.dir, "../../../native/launcher");
const source = readdirSync(launcher)
  .filter((name) => name.endsWith(".c"))
  .map((name) => readFileSync(join(launcher, name), "utf8"))
  .join("\n");

const plan = planned({
  policy: policyWith({ filesystem: { deniedPaths: ["/usr/share", "/srv/secret"] } }),
  request: {
    workdir: "/work",
    view: [
      { kind: "rw-bind", source: "/x", target: "/x", origin: { kind: "flag", flag: "--rw-bind", index: 1 } },
      { kind: "tmpfs", target: "/etc/passwd", origin: { kind: "flag", flag: "--tmpfs", index: 1 } },
    ],
  },
});

/** The last op of this kind: what flags add comes after what every zone has. */
function failing(op: PlanOp["op"], step: string, errno: number, stage: (typeof stages)[number] = "mount") {
  const index = plan.ops.findLastIndex((planned) => planned.op.op === op);
  expect(index).toBeGreaterThanOrEqual(0);
  const failed = {
    at: 1,
    record: "failed",
    stage: stages.indexOf(stage),
    op: index,
    errno,
    step,
    detail: "/x",
  } as const;
  const { result, exitCode } = resultOf(plan, [failed, cleaned]);
  return { error: result.error, exitCode };
}

const [EPERM, ENOENT, EACCES, ENOTDIR, EINVAL, ENOSPC, EUSERS] = [1, 2, 13, 20, 22, 28, 87];

const cases: readonly (readonly [PlanOp["op"], string, number, string])[] = [
  ["namespaces", "clone3", EPERM, "rauha doctor"],
  ["namespaces", "clone3", ENOSPC, "rauha doctor"],
  ["namespaces", "clone3", EUSERS, "rauha doctor"],
  ["proc", "fsmount", EPERM, "unmasked /proc"],
  ["bind", "open", ENOENT, "must exist on the host"],
  ["bind", "open", EACCES, "may not reach the path"],
  ["bind", "mount_setattr(MOUNT_ATTR_IDMAP)", EINVAL, "can't translate ids"],
  ["scratch", "move_mount", EINVAL, "can't be mounted on a file"],
  ["bind", "move_mount", ENOTDIR, "can't be mounted on a file"],
  ["mask", "open", ENOENT, "a denied path must exist"],
  ["expect", "open", ENOENT, "a denied path must exist"],
  ["workdir", "chdir", ENOENT, "--workdir"],
];

describe("a failed step", () => {
  test.each(cases)("%s: %s, errno %p: %s", (op, step, errno, hint) => {
    const { error, exitCode } = failing(op, step, errno);
    expect(error?.hint).toContain(hint);
    expect(exitCode).toBe(125);
    // A hint by a step that no launcher has is one that nobody ever reads.
    expect([step, source.includes(`"${step}"`)]).toEqual([step, true]);
  });

  test("without a known cure has none made up", () => {
    expect(failing("bind", "move_mount", ENOSPC).error?.hint).toBeNull();
  });

  test("names the flag or the key that asked for it", () => {
    expect(failing("bind", "open", ENOENT).error?.origin).toBe("--rw-bind #1");
    expect(failing("scratch", "move_mount", EINVAL).error?.origin).toBe("--tmpfs #1");
    expect(failing("mask", "open", ENOENT).error?.origin).toBe("policy task filesystem.denied_paths[0]");
    expect(failing("expect", "open", ENOENT).error?.origin).toBe("policy task filesystem.denied_paths[1]");
  });

  test("has a code by its errno", () => {
    expect(failing("bind", "open", ENOENT).error?.code).toBe("not_found");
    expect(failing("bind", "open", EACCES).error?.code).toBe("permission");
    expect(failing("bind", "open", EPERM).error?.code).toBe("permission");
    expect(failing("bind", "open", ENOSPC).error?.code).toBe("setup_failed");
  });
});

describe("the command itself", () => {
  test.each([
    [ENOENT, 127, "command_not_found"],
    [20, 127, "command_not_found"],
    [EACCES, 126, "not_executable"],
    [8, 126, "not_executable"],
  ])("errno %p is exit code %p", (errno, code, name) => {
    const { error, exitCode } = failing("exec", "execve", errno, "exec");
    expect([exitCode, error?.code]).toEqual([code, name]);
  });
});
