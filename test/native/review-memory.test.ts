/** The watch over the zone's memory, and a task that puts out its eyes. */
import { describe, expect, test } from "bun:test";
import { endCause, type PlanOp } from "../../src/run/plan/contract.ts";
import { launch, runners } from "./launch.ts";
import { plan } from "./plans.ts";

const watch: PlanOp = { op: "watch_memory", limit: 100 << 20, interval_ms: 10 };
const prlimit64 = process.arch === "arm64" ? 261 : 302;
const RLIMIT_NOFILE = 7;

describe.each(runners)("as %s", (runner) => {
  test("a task that takes all descriptors from init does not get around the limit", async () => {
    const script = `
      $none = pack("QQ", @ARGV[1, 2]);
      syscall(${prlimit64}, 1, ${RLIMIT_NOFILE}, $none, 0) == 0 or die $!;
      $x = "x" x ($ARGV[0] << 20);
      sleep 5;
    `;
    const { one } = await launch(plan({ runner, argv: ["perl", "-e", script, "300", "0", "0"], after: [watch] }), {
      runner,
    });
    expect(one("ended")).toMatchObject({ status: 9, cause: endCause.memory });
    expect(one("ended").wall_us).toBeLessThan(4_000_000);
  });
});
