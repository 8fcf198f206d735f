/** Set-user-id: programs of the host's are inert inside, and none can be planted outside. */
import { describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { kernelIsAtLeast } from "../support/identity.ts";
import { expectAllowed, expectDenied } from "../support/layers.ts";
import { asRecord, PROBE, parseAnswers, probeBind, probePath } from "../support/probe.ts";
import { sandbox, tryInZone } from "../support/rauha.ts";

const S_ISUID = 0o4000;

describe("a set-user-id program", () => {
  test("of the caller's gives no id and no capability: nosuid and no_new_privs", async () => {
    const folder = makeFolder("setuid");
    const program = join(folder, "program");
    copyFileSync(probePath, program);
    chmodSync(program, 0o6755);
    const { result } = await sandbox(["--ro-bind", folder, "--user", "1000"], [program, "ids", "+", "caps"]);
    const [ids, caps] = parseAnswers(result.stdout ?? "");
    expect(asRecord(ids?.items ?? [])["uid"]).toBe("1000,1000,1000,1000");
    expect(asRecord(caps?.items ?? [])).toMatchObject({ effective: "0".repeat(16), no_new_privs: "1" });
  });

  test("of the host's runs without its privilege: su and mount are mere programs", async () => {
    const { result } = await sandbox([], ["sh", "-c", "mount -t tmpfs none /tmp; echo $?"]);
    expect(result.stdout).not.toBe("0\n");
  });
});

/** Calls that make a file with a mode, where the filter sees the mode and where it would have to look at every open. */
const refusedWays = ["creat", "mknod", "chmod", "fchmod", "fchmodat", ...(kernelIsAtLeast(6, 6) ? ["fchmodat2"] : [])];
const emptyWays = ["open", "openat", "openat2", "tmpfile"];

describe.each([{ user: [] }, { user: ["--user", "0"] }])("planting one in a writable workspace $user", ({ user }) => {
  test("is refused by the calls that set a mode", async () => {
    const folder = makeFolder("plant");
    const attempts = refusedWays.map((way) => `create-mode ${way} 04755 ${join(folder, way)}`);
    const neighbours = refusedWays.map((way) => `create-mode ${way} 0755 ${join(folder, `${way}-plain`)}`);
    const tried = await tryInZone([...attempts, ...neighbours], ["--repo-path", folder, "--repo-mode", "rw", ...user]);
    for (const attempt of attempts) expectDenied(tried, attempt, "syscalls", "EPERM");
    expectAllowed(tried, ...neighbours);
    expect(plantedIn(folder)).toEqual([]);
  });

  test("by open gives an empty file at most: the first byte that is written takes the bit away", async () => {
    const folder = makeFolder("plant");
    const path = (way: string, how: string) => join(folder, `${way}-${how}`);
    const attempts = emptyWays.flatMap((way) => [
      ["create-mode", way, "04755", path(way, "written")],
      ["write", path(way, "written"), "#!/bin/sh"],
      ["create-mode", way, "06755", path(way, "grown")],
      ["truncate", path(way, "grown"), "4096"],
      ["create-mode", way, "04755", path(way, "copied")],
      ["exec", "/usr/bin/dd", "status=none", "conv=notrunc", "if=/usr/bin/env", `of=${path(way, "copied")}`],
      ["create-mode", way, "04755", path(way, "allocated")],
      ["exec", "/usr/bin/fallocate", "-l", "4096", path(way, "allocated")],
    ]);
    const tried = await tryInZone(attempts, ["--repo-path", folder, "--repo-mode", "rw", ...user]);
    expect(tried.answers.filter(({ outcome }) => outcome === "OK").length).toBe(attempts.length);
    expect(readdirSync(folder)).toHaveLength(emptyWays.length * 4);
    expect(plantedIn(folder)).toEqual([]);
  });
});

/** Files with the bit and something in them. */
function plantedIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => {
    const { mode, size } = statSync(join(folder, name));
    return (mode & S_ISUID) !== 0 && size > 0;
  });
}

describe("an innocent task", () => {
  test("may set the sticky bit of a folder", async () => {
    const folder = makeFolder("sticky");
    const { exitCode } = await sandbox(
      ["--repo-path", folder, "--repo-mode", "rw"],
      ["sh", "-c", "mkdir shared && chmod 1777 shared"],
    );
    expect(exitCode).toBe(0);
    expect(statSync(join(folder, "shared")).mode & 0o7777).toBe(0o1777);
  });

  test("a copy of a set-user-id program is a plain one", async () => {
    const folder = makeFolder("copy");
    const { result } = await sandbox(
      [...probeBind, "--repo-path", folder, "--repo-mode", "rw"],
      ["sh", "-c", `cp -p ${PROBE} x; cp -p /usr/bin/mount m 2>/dev/null; ls`],
    );
    expect(result.stdout).toContain("x\n");
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & S_ISUID).toBe(0);
  });
});
