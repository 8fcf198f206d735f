import { describe, expect, test } from "bun:test";
import { mountFlag, type PlanOp } from "../../../src/run/plan/contract.ts";
import type { Plan } from "../../../src/run/plan/plan.ts";
import type { ImageRoot } from "../../../src/run/request.ts";
import { planned, policyWith, refused, rootFacts, userFacts } from "./inputs.ts";

const image: ImageRoot = {
  reference: "tool:1",
  digest: `sha256:${"1".repeat(64)}`,
  layers: ["a", "b", "c"].map((name) => ({ name, tree: `/store/${name}/tree` })),
  env: [
    { name: "PATH", value: "/own/bin" },
    { name: "ASKED", value: "image" },
  ],
  workingDir: "/srv/app",
  volumes: ["/data"],
  user: { uid: 7, gid: 8, groups: [9], name: "app", home: "/home/app" },
  stopSignal: 10,
};

function ops<K extends PlanOp["op"]>(plan: Plan, name: K): Extract<PlanOp, { op: K }>[] {
  return plan.ops.map(({ op }) => op).filter((op): op is Extract<PlanOp, { op: K }> => op.op === name);
}

describe("an image as the root", () => {
  const plan = planned({ request: { image } });

  test("its layers are lent in order, read-only, and become the root right after the root tmpfs", () => {
    expect(
      plan.ops
        .slice(plan.ops.findIndex(({ op }) => op.op === "root"))
        .map(({ op }) => op.op)
        .slice(0, 5),
    ).toEqual(["root", "layer", "layer", "layer", "image"]);
    expect(ops(plan, "layer").map(({ source, target }) => [source, target])).toEqual([
      ["/store/a/tree", "0"],
      ["/store/b/tree", "1"],
      ["/store/c/tree", "2"],
    ]);
    for (const { flags } of ops(plan, "layer")) expect(flags & mountFlag.readOnly).toBe(mountFlag.readOnly);
    expect(ops(plan, "image")).toEqual([{ op: "image", layers: 3 }]);
    expect(plan.image).toEqual({ reference: image.reference, digest: image.digest });
  });

  test("root's layers are idmapped without a fallback, an ordinary user's are not", () => {
    const flagsOf = (made: Plan) =>
      ops(made, "layer").map(({ flags }) => flags & (mountFlag.idmap | mountFlag.idmapOptional));
    expect(flagsOf(planned({ facts: rootFacts, request: { image } }))).toEqual(image.layers.map(() => mountFlag.idmap));
    expect(flagsOf(plan)).toEqual(image.layers.map(() => 0));
  });

  test("nothing of the host's view comes with it, whatever the policy says", () => {
    expect(ops(plan, "mirror")).toEqual([]);
    expect(ops(plan, "bind").every(({ source }) => source.startsWith("/dev/"))).toBe(true);
    expect(ops(plan, "file").map(({ target }) => target)).toEqual([
      "/etc/hostname",
      "/etc/hosts",
      "/etc/resolv.conf",
      "/.rauha",
    ]);
  });

  test("user, variables, directory and signal are the image's, and a request's come first", () => {
    expect(ops(plan, "identity")[0]).toMatchObject({ uid: 7, gid: 8, groups: [] });
    expect(ops(planned({ facts: rootFacts, request: { image } }), "identity")[0]).toMatchObject({ groups: ["9"] });
    expect(ops(plan, "workdir")).toEqual([{ op: "workdir", path: "/srv/app" }]);
    expect(ops(plan, "dir").map(({ target }) => target)).toContain("/srv/app");
    expect(ops(plan, "timeout")[0]?.signal).toBe(10);
    const env = ops(plan, "exec")[0]?.env ?? [];
    for (const entry of ["PATH=/own/bin", "ASKED=image", "HOME=/home/app", "USER=app"]) expect(env).toContain(entry);
    const asked = planned({
      request: { image, user: { uid: 0 }, workdir: "/w", env: [{ name: "ASKED", value: "flag" }] },
      policy: policyWith({ env: { set: { PATH: "/policy" } } }),
    });
    expect(ops(asked, "identity")[0]).toMatchObject({ uid: 0, gid: 0, groups: [] });
    expect(ops(asked, "workdir")).toEqual([{ op: "workdir", path: "/w" }]);
    for (const entry of ["ASKED=flag", "PATH=/policy", "HOME=/root"])
      expect(ops(asked, "exec")[0]?.env).toContain(entry);
  });

  test("Landlock allows the image by its names, never the root as a whole", () => {
    const rules = ops(plan, "landlock_path").filter(({ path }) => path === "/");
    const writing = rules.filter(({ except }) => except.length > 0);
    expect(rules).toHaveLength(2);
    expect(writing).toHaveLength(1);
    for (const place of ["/.rauha", "/proc", "/dev"]) expect(writing[0]?.except).toContain(place);
    const without = ops(planned({}), "landlock_path").filter(({ path }) => path === "/");
    expect(rules.filter(({ except }) => except.length === 0)).toEqual(without);
  });

  test("what it says to be there is made: volumes, and where the task starts, as the flag says if there is one", () => {
    const made = (request: object) =>
      ops(planned({ request: { image, ...request } }), "dir").map(({ target }) => target);
    expect(made({})).toEqual(["/data", "/srv/app", "/tmp"]);
    expect(made({ workdir: "/new/work" })).toEqual(["/data", "/new/work", "/tmp"]);
    expect(made({ workdir: "/" })).toEqual(["/data", "/tmp"]);
    expect(ops(planned({ request: { workdir: "/new/work" } }), "dir")).toEqual([]);
  });

  test("the policy's writable paths hide nothing of it, but for what lies in a bind; --tmpfs does", () => {
    const policy = policyWith({
      filesystem: { readablePaths: ["/opt/t"], writablePaths: ["/tmp", "/var/log", "/opt/t/c"] },
    });
    const view = [{ kind: "tmpfs", target: "/tmp", origin: { kind: "flag", flag: "--tmpfs" } }] as const;
    const made = planned({ policy, request: { image: { ...image, volumes: [] }, workdir: "/", view } });
    expect(ops(made, "dir").map(({ target, mode }) => [target, mode])).toEqual([
      ["/tmp", 0o1777],
      ["/var/log", 0o1777],
    ]);
    expect(ops(made, "scratch").map(({ target }) => target)).toEqual(["/opt/t/c", "/dev", "/dev/shm", "/tmp"]);
    const without = ops(planned({ policy }), "scratch").map(({ target }) => target);
    expect(without).toEqual(expect.arrayContaining(["/tmp", "/var/log", "/opt/t/c"]));
  });

  test("the workspace is where the runner put it", () => {
    const repo = {
      path: "/home/alice/p",
      target: "/workspace",
      mode: "ro",
      origin: { kind: "flag", flag: "--repo-path" },
    } as const;
    const made = planned({ request: { image, repo } });
    expect(
      ops(made, "bind")
        .filter(({ source }) => source === repo.path)
        .map(({ target }) => target),
    ).toEqual(["/workspace"]);
    expect(ops(made, "workdir")).toEqual([{ op: "workdir", path: "/workspace" }]);
  });

  test("too many layers, and none, are refused; an old kernel is warned of", () => {
    const many = Array.from({ length: 129 }, (_, index) => ({ name: `${index}`, tree: `/s/${index}` }));
    for (const layers of [[], many]) {
      expect(refused({ request: { image: { ...image, layers } } })[0]).toMatchObject({ code: "invalid_image" });
    }
    expect(planned({ request: { image: { ...image, layers: many.slice(1) } } }).warnings).toEqual([]);
    const old = planned({ facts: { ...userFacts, kernel: "6.1.0-20-amd64" }, request: { image } });
    expect(old.warnings.map(({ message }) => message).join()).toContain("keeps no attributes on a tmpfs");
  });
});
