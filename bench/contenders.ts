/** Who is compared: what each of them is told to do for a task that does nothing. */
import { join } from "node:path";
import type { Contender } from "./hyperfine.ts";
import type { Stage } from "./stage.ts";

/** A start that Rauha remembers: all but the first of them. */
export const RAUHA = "rauha sandbox -- true";
/** One that is planned each time: without `--`, none is remembered. */
export const PLANNED = "rauha sandbox true, planned";
export const OWN_POLICY = "rauha sandbox --policy own.toml";
export const OWN_POLICY_PLANNED = "rauha sandbox --policy own.toml, planned";
export const EMPTY = "empty compiled program";
export const BWRAP = "bwrap --unshare-all";

/** The start of a zone, and of its like. `state` is a folder of the user's for runtimes that keep one. */
export function starters(stage: Stage, uid: number, state: string): Contender[] {
  const { rauha, empty, policy } = stage;
  const bundle = stage.bundle(uid);
  const rootless = uid === 0 ? [] : ["--rootless=true"];
  return [
    { name: EMPTY, command: [empty] },
    { name: RAUHA, command: [rauha, "sandbox", "--", "true"] },
    { name: PLANNED, command: [rauha, "sandbox", "true"] },
    { name: "rauha sandbox --json", command: [rauha, "sandbox", "--json", "--", "true"] },
    { name: OWN_POLICY, command: [rauha, "sandbox", "--policy", policy, "--", "true"] },
    { name: OWN_POLICY_PLANNED, command: [rauha, "sandbox", "--policy", policy, "true"] },
    {
      name: "rauha sandbox --repo-mode ro",
      command: [rauha, "sandbox", "--repo", stage.sources, "--repo-mode", "ro", "--", "true"],
    },
    { name: BWRAP, command: "bwrap --unshare-all --ro-bind / / --proc /proc --dev /dev true".split(" ") },
    { name: "bwrap, the same view", command: ["bwrap", ...sameView, "true"] },
    { name: "unshare -Urmpfniu", command: ["unshare", "-Urmpfniu", "true"] },
    { name: "firejail", command: ["firejail", "--quiet", "--noprofile", "--net=none", "--private", "--", "true"] },
    {
      name: "crun run",
      command: [
        "crun",
        "--root",
        join(state, "crun"),
        "--cgroup-manager=disabled",
        "run",
        "-b",
        bundle,
        `bench-${uid}`,
      ],
    },
    {
      name: "runc run",
      command: ["runc", "--root", join(state, "runc"), ...rootless, "run", "-b", bundle, `bench-${uid}`],
    },
  ];
}

/** What a zone of Rauha's shows, as far as bwrap's options go; without limits, filters, Landlock, and a result. */
const sameView = (
  "--unshare-all --unshare-user --die-with-parent --new-session --clearenv --cap-drop ALL --hostname rauha " +
  "--tmpfs / --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/sbin /sbin --symlink usr/lib /lib " +
  "--symlink usr/lib64 /lib64 --ro-bind /etc/alternatives /etc/alternatives --ro-bind /etc/ssl/certs /etc/ssl/certs " +
  "--ro-bind /etc/nsswitch.conf /etc/nsswitch.conf --ro-bind /etc/ld.so.cache /etc/ld.so.cache " +
  "--proc /proc --dev /dev --tmpfs /tmp --tmpfs /var/tmp --tmpfs /run --setenv PATH /usr/bin:/bin --remount-ro / --chdir /"
).split(" ");
