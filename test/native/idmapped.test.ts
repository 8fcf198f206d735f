/** The host's root and its zones: whose the files are inside, and who root is outside. */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountFlag, type PlanOp } from "../../src/run/plan/contract.ts";
import { isRoot, launch } from "./launch.ts";
import { plan, rangeBase } from "./plans.ts";

const made: string[] = [];
afterAll(() => made.forEach((path) => void rmSync(path, { recursive: true, force: true })));

describe.if(isRoot)("root's zones", () => {
  const runner = "root" as const;

  test("files of the host's root are root's inside, by an idmapped mount; outside nothing has changed", async () => {
    const host = mkdtempSync(join(tmpdir(), "rauha-test-idmap-"));
    made.push(host);
    chmodSync(host, 0o700);
    writeFileSync(join(host, "secret"), "s\n", { mode: 0o600 });
    const flags = mountFlag.idmap;
    const argv = ["sh", "-c", "stat -c '%u %a' /w /w/secret; cat /w/secret; touch /w/new; id -u"];
    const { output } = await launch(
      plan({ runner, argv, mounts: [{ op: "bind", source: host, target: "/w", flags }] }),
      {
        runner,
      },
    );
    expect(output(1)).toBe("0 700\n0 600\ns\n0\n");
    expect(statSync(join(host, "new")).uid).toBe(0);
    expect(statSync(host).uid).toBe(0);
    const plain = await launch(plan({ runner, argv, mounts: [{ op: "bind", source: host, target: "/w", flags: 0 }] }), {
      runner,
    });
    expect(plain.output(1)).toStartWith("65534 700\n");
    expect(plain.output(2)).toContain("Permission denied");
  });

  test("root inside is nobody outside", async () => {
    let ids: string[] = [];
    await launch(plan({ runner, argv: ["sleep", "60"] }), {
      runner,
      onRecord: (record, running) => {
        if (record.record !== "started") return;
        const children = readFileSync(`/proc/${record.pid}/task/${record.pid}/children`, "utf8").trim().split(" ");
        ids = [record.pid, ...children].map(
          (pid) => /Uid:\t(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "",
        );
        running.say(3);
      },
    });
    expect(ids).toEqual([`${rangeBase}`, `${rangeBase}`]);
  });

  test("a file system that can't be idmapped is refused, or shown as it is and said so", async () => {
    const bind = (flags: number): PlanOp => ({ op: "bind", source: "/proc/sys", target: "/p", flags });
    const run = (flags: number) =>
      launch(plan({ runner, argv: ["ls", "-d", "/p"], mounts: [bind(flags)] }), { runner });
    const refused = (await run(mountFlag.idmap)).one("failed");
    expect(refused).toMatchObject({ errno: 22, step: "mount_setattr(MOUNT_ATTR_IDMAP)", detail: "/proc/sys" });
    const shown = await run(mountFlag.idmap | mountFlag.idmapOptional);
    expect(shown.output(1)).toBe("/p\n");
    expect(shown.all("skipped").some(({ step }) => step === "idmap")).toBe(true);
  });
});
