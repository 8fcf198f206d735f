/** Network modes of root's on Linux 6.1, where bridge, veth and nftables are modules that the kernel loads when they are asked for. */
import { expect, test } from "bun:test";
import { readlinkSync } from "node:fs";
import { bridgedCases } from "../network/bridged/cases.ts";
import { inVm, isRoot } from "../support/identity.ts";
import { sandbox } from "../support/rauha.ts";

if (inVm && isRoot) {
  bridgedCases({ zones: 8, kills: 4, brief: true });

  test("the shipped policy privileged has the host's network", async () => {
    const { result } = await sandbox(["--policy", "privileged"], ["readlink", "/proc/self/ns/net"]);
    expect(result.error).toBeNull();
    expect(result.stdout).toBe(`${readlinkSync("/proc/self/ns/net")}\n`);
  });
}
