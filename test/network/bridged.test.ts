/** Network mode bridged, where root can make a bridge. */
import { describe, expect, test } from "bun:test";
import { isRoot } from "../support/identity.ts";
import { sandbox } from "../support/rauha.ts";
import { bridgedCases } from "./bridged/cases.ts";

const hasBridge =
  isRoot && Bun.spawnSync(["unshare", "--net", "ip", "link", "add", "br0", "type", "bridge"]).exitCode === 0;

if (hasBridge) bridgedCases({ zones: 200, kills: 16 });

describe("network mode bridged is refused", () => {
  test("for rules about names", async () => {
    const { exitCode, result } = await sandbox(["--policy", "build", "--network", "bridged"], ["true"]);
    expect(exitCode).toBe(125);
    expect(result.error?.message).toContain("network.allowed_domains can't be enforced in network mode bridged");
  });

  if (isRoot) return;
  test("to an ordinary user", async () => {
    const { exitCode, result } = await sandbox(["--network", "bridged"], ["true"]);
    expect(exitCode).toBe(125);
    expect(result.error).toMatchObject({ code: "permission", origin: "--network" });
  });
});
