import { mountFlag } from "../contract.ts";
import { addOp, type PlanDraft, zoneOrigin } from "../draft.ts";
import { taskIds } from "./identity.ts";
import { planImageFiles } from "./image.ts";

/** Top-level directories of programs and libraries: symlinks into /usr on merged-usr hosts, directories elsewhere. */
const programTrees = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32"];

/** Directories of /etc that programs read: certificates, alternatives, fonts, languages. Nothing secret lives in them. */
const etcTrees = [
  "/etc/alternatives",
  "/etc/ssl/certs",
  "/etc/pki/ca-trust/extracted",
  "/etc/pki/tls/certs",
  "/etc/ca-certificates",
  "/etc/crypto-policies",
  "/etc/fonts",
  "/etc/ld.so.conf.d",
  "/etc/java-17-openjdk",
  "/etc/java-21-openjdk",
  "/etc/perl",
  "/etc/python3",
  "/etc/terminfo",
];

/** Small files of /etc that programs read; copied, because a copy is cheaper than a mount. */
const etcFiles = [
  "/etc/bash.bashrc",
  "/etc/debian_version",
  "/etc/ethertypes",
  "/etc/gai.conf",
  "/etc/host.conf",
  "/etc/inputrc",
  "/etc/ld.so.cache",
  "/etc/ld.so.conf",
  "/etc/locale.alias",
  "/etc/magic",
  "/etc/mime.types",
  "/etc/nsswitch.conf",
  "/etc/profile",
  "/etc/protocols",
  "/etc/rpc",
  "/etc/services",
  "/etc/ssl/openssl.cnf",
  "/etc/timezone",
];

/** Files of /etc that are symlinks on most hosts. */
const etcLinks = ["/etc/localtime", "/etc/os-release", "/etc/mtab"];

/** The minimal read-only view of the host: programs, libraries, and the parts of /etc that programs need. */
export function planHostView(draft: PlanDraft): readonly number[] {
  const origin = { kind: "policy", policy: draft.policy.name, key: "filesystem.root" } as const;
  const flags = mountFlag.readOnly | mountFlag.optional;
  // Some distributions keep parts of /etc elsewhere and link to them: what is shown is what a program on the host would read.
  const followed = mountFlag.optional | mountFlag.followSource;
  const ops: number[] = [];
  for (const path of programTrees) {
    ops.push(
      addOp(draft, { op: "mirror", source: path, target: path, flags }, origin, `${path} of the host, read-only`),
    );
  }
  for (const path of etcTrees) {
    const bind = {
      op: "bind",
      source: path,
      target: path,
      flags: followed | mountFlag.readOnly | mountFlag.expectDir,
    } as const;
    ops.push(addOp(draft, bind, origin, `${path} of the host, read-only`));
  }
  for (const path of etcFiles) {
    const copy = { op: "copy", source: path, target: path, mode: 0o644, flags: followed } as const;
    ops.push(addOp(draft, copy, origin, `a copy of ${path}`));
  }
  for (const path of etcLinks) {
    ops.push(addOp(draft, { op: "mirror", source: path, target: path, flags }, origin, `${path} of the host`));
  }
  return ops;
}

/** Files that say who and where the zone is; made up, so that nothing of the host's accounts and names shows. */
export function planIdentityFiles(draft: PlanDraft): void {
  const { uid, gid } = taskIds(draft);
  const name = uid === 0 ? "root" : draft.facts.userName;
  const hostname = zoneHostname(draft);
  const passwd = [
    ["root", 0, 0, "/tmp", "/bin/sh"],
    ...(uid === 0 || uid === 65534 ? [] : [[name, uid, gid, "/tmp", "/bin/sh"]]),
    ["nobody", 65534, 65534, "/nonexistent", "/usr/sbin/nologin"],
  ].map(([user, u, g, home, shell]) => `${user}:x:${u}:${g}::${home}:${shell}\n`);
  const groups = [
    ["root", 0],
    ["tty", 5],
    ...(gid === 0 || gid === 5 || gid === 65534 ? [] : [[name, gid]]),
    ["nogroup", 65534],
  ].map(([group, id]) => `${group}:x:${id}:\n`);
  const files: Record<string, string> = {
    "/etc/passwd": passwd.join(""),
    "/etc/group": groups.join(""),
    "/etc/hostname": `${hostname}\n`,
    "/etc/hosts": `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t${hostname}\n`,
  };
  if (draft.request.image !== undefined) {
    planImageFiles(draft, files);
    return;
  }
  const encoder = new TextEncoder();
  for (const [target, text] of Object.entries(files)) {
    const file = { op: "file", target, mode: 0o644, content: encoder.encode(text) } as const;
    addOp(draft, file, zoneOrigin("identity files"), `${target} of the zone's own`);
  }
}

/** The zone's host name: what `--hostname` says, else `rauha`. */
export function zoneHostname(draft: PlanDraft): string {
  return draft.request.hostname ?? "rauha";
}
