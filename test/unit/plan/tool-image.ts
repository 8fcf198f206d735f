import type { SandboxRequest } from "../../../src/run/request.ts";

/** An image as a request has it, with everything that an image can say. */
export const toolImage: NonNullable<SandboxRequest["image"]> = {
  reference: "tool:1",
  digest: `sha256:${"1".repeat(64)}`,
  layers: ["a", "b"].map((name) => ({ name, tree: `/store/${name}/tree` })),
  env: [{ name: "PATH", value: "/own/bin" }],
  workingDir: "/srv/app",
  volumes: [],
  user: { uid: 7, gid: 8, groups: [9], name: "app", home: "/home/app" },
  stopSignal: 15,
};
