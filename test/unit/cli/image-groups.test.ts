import { describe, expect, test } from "bun:test";
import { groupsLost } from "../../../src/cli/image-groups.ts";
import type { SandboxRequest } from "../../../src/run/request.ts";
import { inputs } from "../plan/inputs.ts";

const origin = { kind: "flag", flag: "--repo-path" } as const;
const image = (groups: readonly number[]) => ({ user: { uid: 5, gid: 5, groups, name: "app", home: "/" } }) as never;
const repo = { path: "/p", mode: "overlay", origin } as const;
const request = (changes: Partial<SandboxRequest>) => ({ ...inputs({}).request, ...changes });

describe("groups of the caller's that a task with subordinate ids does not have", () => {
  test("are said where the image gives others, and files of the host are shown", () => {
    expect(groupsLost(request({ image: image([7]), repo }), [27])).toContain("not yours");
    const view = [{ kind: "ro-bind", source: "/a", target: "/a", origin }] as const;
    expect(groupsLost(request({ image: image([7]), view }), [27])).toContain("--user UID:GID keeps yours");
  });

  test.each<[string, Partial<SandboxRequest>, number[]]>([
    ["the image gives none", { image: image([]), repo }, [27]],
    ["the caller has none", { image: image([7]), repo }, []],
    ["nothing of the host is shown", { image: image([7]), view: [{ kind: "tmpfs", target: "/t", origin }] }, [27]],
    ["another user was named", { image: image([7]), repo, user: { uid: 5 } }, [27]],
  ])("not where %s", (_, changes, own) => expect(groupsLost(request(changes), own)).toBeUndefined());
});
