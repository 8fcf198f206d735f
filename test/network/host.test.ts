/** Network mode host: the host's own network, for a privileged policy of root's and for nobody else. */
import { afterAll, describe, expect, test } from "bun:test";
import { readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { isRoot } from "../support/identity.ts";
import { guarantee, outcomes, sandbox, tryInZone } from "../support/rauha.ts";

const folder = makeFolder("host-network");
const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
afterAll(() => server.stop(true));

/** A policy of type privileged with few capabilities: a container's root may not have all of the shipped one's. */
function privileged(name: string, network: string, capabilities: readonly string[] = []): string {
  const path = join(folder, `${name}.toml`);
  const text = [
    `[zone]\nname = "${name}"\ntype = "privileged"`,
    `[capabilities]\nallowed = ${JSON.stringify(capabilities)}`,
    `[network]\n${network}`,
    `[filesystem]\nroot = "host"\nwritable_paths = ["/tmp"]\n`,
  ];
  writeFileSync(path, text.join("\n"));
  return path;
}

/** What is nothing to a caller is no test of his, and so no skip that someone would have to explain. */
function describeWhen(holds: boolean, name: string, body: () => void): void {
  if (holds) describe(name, body);
}

const policy = privileged("plain", 'mode = "host"');

describeWhen(isRoot, "network mode host, by root under a privileged policy", () => {
  test("is the host's network: its namespace, its loopback, its interfaces", async () => {
    const attempt = `connect inet 127.0.0.1 ${server.port}`;
    const tried = await tryInZone([attempt], ["--policy", policy]);
    expect(outcomes(tried)).toEqual({ [attempt]: "OK" });
    const { result } = await sandbox(["--policy", policy], ["readlink", "/proc/self/ns/net"]);
    expect(result.stdout).toBe(`${readlinkSync("/proc/self/ns/net")}\n`);
  });

  test("is said as it is: no namespace, no rules", async () => {
    const { result } = await sandbox(["--policy", policy], ["true"]);
    expect(result.guarantees.some(({ name }) => name === "network_namespace")).toBe(false);
    expect(guarantee(result, "network_rules").state).toBe("not_requested");
    expect(guarantee(result, "mount_namespace").state).toBe("enforced");
  });

  test("has the host's resolvers, as a copy", async () => {
    const script = "cat /etc/resolv.conf; echo x >> /etc/resolv.conf";
    const { result } = await sandbox(["--policy", policy], ["sh", "-c", script]);
    expect(result.stdout).toBe(await Bun.file("/etc/resolv.conf").text());
    expect(result.stderr).toContain("Read-only file system");
  });

  test("gives no power over it that the policy does not name", async () => {
    const tried = await tryInZone(["listen inet 127.0.0.1 1"], ["--policy", policy]);
    expect(outcomes(tried)).toEqual({ "listen inet 127.0.0.1 1": "EACCES" });
    const { result } = await sandbox(["--policy", policy], ["ip", "link", "set", "lo", "mtu", "1400"]);
    expect(result.stderr).toContain("Operation not permitted");
  });

  test("a flag narrows a privileged policy to no network at all", async () => {
    const { result } = await sandbox(["--policy", policy, "--network", "none"], ["readlink", "/proc/self/ns/net"]);
    expect(result.stdout).not.toBe(`${readlinkSync("/proc/self/ns/net")}\n`);
    expect(guarantee(result, "network_namespace").state).toBe("enforced");
  });

  test("is refused where rules would have to be kept", async () => {
    const ruled = privileged("ruled", 'mode = "bridged"\nallowed_egress = ["192.0.2.1:443"]');
    const { exitCode, result } = await sandbox(["--policy", ruled, "--network", "host"], ["true"]);
    expect(exitCode).toBe(125);
    expect(result.error).toMatchObject({ code: "unenforceable" });
    expect(result.error?.message).toContain("network.allowed_egress can't be enforced");
  });
});

describe("network mode host is refused", () => {
  test("for an ordinary policy, whoever asks", async () => {
    const { exitCode, result } = await sandbox(["--network", "host"], ["true"]);
    expect(exitCode).toBe(125);
    expect(result.error).toMatchObject({ code: "permission", origin: "--network" });
    expect(result.error?.hint).toContain("--policy privileged");
    expect(result.exit_code).toBeNull();
  });

  if (isRoot) return;
  test("for an ordinary user, whatever the policy", async () => {
    const { exitCode, result } = await sandbox(["--policy", policy], ["true"]);
    expect(exitCode).toBe(125);
    expect(result.error).toMatchObject({ code: "permission" });
    expect(result.error?.message).toContain("only root may do");
  });
});
