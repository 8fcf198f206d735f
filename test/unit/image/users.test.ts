import { describe, expect, test } from "bun:test";
import { stopSignal } from "../../../src/image/rootfs/stop-signal.ts";
import { findUser } from "../../../src/image/rootfs/users.ts";

const files: Record<string, string> = {
  "/etc/passwd":
    "root:x:0:0:root:/root:/bin/sh\n# a comment\napp:x:1000:1001::/home/app:/bin/sh\n1000:x:5:6::relative:/bin/sh\nbroken:x:y:z::/:\nhuge:x:99999999999:1::/:\n",
  "/etc/group": "root:x:0:\nweb:x:33:app,other\nlogs:x:4:other,app\napp:x:1001:app\n",
};
const find = (user: string | undefined) => findUser(user, (path) => files[path]);

describe("the user of an image", () => {
  test.each([
    [undefined, 0, 0, [], "root", "/root"],
    ["app", 1000, 1001, [33, 4], "app", "/home/app"],
    ["app:web", 1000, 33, [], "app", "/home/app"],
    ["app:55", 1000, 55, [], "app", "/home/app"],
    // A name that is a number goes before the number.
    ["1000", 5, 6, [], "1000", undefined],
    ["4242", 4242, 0, [], undefined, undefined],
    [":web", 0, 33, [], "root", "/root"],
  ])("%p", (user, uid, gid, groups, name, home) => {
    expect(find(user)).toEqual({ uid, gid, groups: [...groups], name, home });
  });

  test.each(["ghost", "broken", "huge", "app:ghosts", "-1", "1e3", "99999999999"])("%p is refused", (user) => {
    expect(() => find(user)).toThrow(/is not in its \/etc\/(passwd|group)/);
  });

  test("an image without accounts has numbers", () => {
    expect(findUser("12:34", () => undefined)).toMatchObject({ uid: 12, gid: 34 });
  });
});

test("stop signals by name and number", () => {
  const written = [undefined, "", "SIGTERM", "TERM", "SIGINT", "9", "SIGRTMIN+3", "RTMAX-1", "SIGRTMIN"];
  expect(written.map(stopSignal)).toEqual([15, 15, 15, 15, 2, 9, 37, 63, 34]);
  for (const wrong of ["SIGNOTHING", "0", "65", "SIGRTMIN+99", "sigterm"])
    expect(() => stopSignal(wrong)).toThrow(/is none/);
});
