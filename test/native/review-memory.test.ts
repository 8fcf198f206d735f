/** The watch over the zone's memory, and a task that puts out its eyes. */
import { describe, expect, test } from "bun:test";
import { control, endCause, type PlanOp } from "../../src/run/plan/contract.ts";
import { launch, runners } from "./launch.ts";
import { plan } from "./plans.ts";

const watch: PlanOp = { op: "watch_memory", limit: 100 << 20, interval_ms: 10 };
const prlimit64 = process.arch === "arm64" ? 261 : 302;
const RLIMIT_NOFILE = 7;

describe.each(runners)("as %s", (runner) => {
  // At once, init is about to wait; later, it waits already, and the next time it can't. Both ways the zone ends before the sleep does.
  test.each([
    ["before it waits", 0],
    ["while it waits", 0.3],
  ])("a task that takes all descriptors from init %s does not get around the limit", async (_, seconds) => {
    const script = `
      select(undef, undef, undef, ${seconds});
      $none = pack("QQ", @ARGV[1, 2]);
      syscall(${prlimit64}, 1, ${RLIMIT_NOFILE}, $none, 0) == 0 or die $!;
      $x = "x" x ($ARGV[0] << 20);
      sleep 30;
    `;
    const { one } = await launch(plan({ runner, argv: ["perl", "-e", script, "300", "0", "0"], after: [watch] }), {
      runner,
    });
    // Init is lost when the task was there before it had settled: that ends the zone as well.
    const { status, cause } = one("ended");
    expect([`9 ${endCause.memory}`, `9 ${endCause.init_lost}`]).toContain(`${status} ${cause}`);
  });

  test("nor does it make init deaf where nothing is watched: the zone ends", async () => {
    const script = `
      $none = pack("QQ", @ARGV[0, 1]);
      syscall(${prlimit64}, 1, ${RLIMIT_NOFILE}, $none, 0) == 0 or die $!;
      sleep 30;
    `;
    const running = launch(plan({ runner, argv: ["perl", "-e", script, "0", "0"] }), {
      runner,
      // Whatever init is told next, it wakes up for.
      onRecord: ({ record }, { say }) => record === "started" && setTimeout(() => say(control.signal, 28), 1000),
    });
    expect((await running).one("ended")).toMatchObject({ status: 9 });
  });
});
