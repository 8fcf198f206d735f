/** Records of zones in the runtime directory: root's below /run, which is a folder of the test's own here, an ordinary user's below XDG_RUNTIME_DIR. */
import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Result } from "../../src/run/result/schema.ts";
import { isRoot, patient } from "../support/identity.ts";
import { callerEnvironment, parseResult, RAUHA } from "../support/rauha.ts";

const tool = join(import.meta.dir, "record-tool.ts");
const base = mkdtempSync("/var/tmp/rauha-records-");
chmodSync(base, 0o755);
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** A runtime directory of a test's own, and processes for which it is the one. */
class Runtime {
  readonly path = mkdtempSync(join(base, "run-"));
  readonly zones = join(this.path, "rauha/zones");

  spawn(command: readonly string[]): Bun.Subprocess<"pipe", "pipe", "pipe"> {
    const script = `mount --bind "$1" /run && shift && exec "$@"`;
    const words = isRoot ? ["unshare", "--mount", "sh", "-c", script, "sh", this.path, ...command] : [...command];
    const env = { ...callerEnvironment(), XDG_RUNTIME_DIR: this.path };
    return Bun.spawn(words, { cwd: "/", env, stdio: ["pipe", "pipe", "pipe"] });
  }

  tool(...words: readonly string[]): Bun.Subprocess<"pipe", "pipe", "pipe"> {
    return this.spawn([process.execPath, tool, ...words]);
  }

  async ask(...words: readonly string[]): Promise<unknown> {
    const child = this.tool(...words);
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    if ((await child.exited) !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  sandbox(...words: readonly string[]): Bun.Subprocess<"pipe", "pipe", "pipe"> {
    return this.spawn([RAUHA, "sandbox", "--json", ...words]);
  }

  async result(...words: readonly string[]): Promise<Result> {
    return parseResult(await this.sandbox(...words).stdout.text());
  }

  names(): string[] {
    try {
      return readdirSync(this.zones).toSorted();
    } catch {
      return [];
    }
  }

  /** A zone that stays, once it has its record: the process of its invocation, and the record's name. */
  async lasting(): Promise<{ readonly child: Bun.Subprocess<"pipe", "pipe", "pipe">; readonly id: string }> {
    const child = this.sandbox("--", "sleep", "600");
    for (let tries = 0; tries < patient(600); tries++) {
      const [id] = this.names();
      if (id !== undefined) return { child, id };
      await Bun.sleep(50);
    }
    throw new Error("the zone never had a record");
  }
}

async function kill(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGKILL");
  await child.exited;
}

const skipped = (result: Result) =>
  result.events.filter((event) => event["event.name"] === "rauha.zone.record.skipped");

test("a zone that lasts has a record as long as it lives, found by its id", async () => {
  const runtime = new Runtime();
  const { child, id } = await runtime.lasting();
  const { mode } = lstatSync(join(runtime.zones, id));
  expect(mode & 0o777).toBe(0o600);
  const [record] = (await runtime.ask("list")) as Record<string, unknown>[];
  const hash = String(record?.["policyHash"]);
  expect(record).toMatchObject({ id, name: id });
  expect(Number(record?.["createdAt"])).toBeLessThanOrEqual(Date.now());
  expect(await runtime.ask("find", id)).toEqual(record);
  expect(await runtime.ask("find", "zone_of_nobody")).toBeNull();
  expect(await runtime.ask("find", `../zones/${id}`)).toBeNull();
  expect(await runtime.ask("sweep")).toBe(0);
  child.kill("SIGTERM");
  const result = parseResult(await child.stdout.text());
  expect({ zone: result.zone_id, hash: result.policy?.hash }).toEqual({ zone: id, hash });
  expect(skipped(result)).toEqual([]);
  expect(runtime.names()).toEqual([]);
}, 60_000);

test("one that soon ends has none, and says nothing of it", async () => {
  const runtime = new Runtime();
  const result = await runtime.result("--", "true");
  expect(result.status).toBe("succeeded");
  expect(skipped(result)).toEqual([]);
});

test("killed, it is no zone at once, and the next invocation takes the record away", async () => {
  const runtime = new Runtime();
  const { child, id } = await runtime.lasting();
  const neighbour = runtime.sandbox("--", "sleep", "600");
  for (let tries = 0; runtime.names().length < 2; tries++) {
    if (tries > patient(600)) throw new Error("the neighbour never had a record");
    await Bun.sleep(50);
  }
  await kill(child);
  expect(runtime.names()).toContain(id);
  expect(await runtime.ask("find", id)).toBeNull();
  expect(await runtime.ask("list")).toHaveLength(1);
  expect((await runtime.result("--", "true")).status).toBe("succeeded");
  expect(runtime.names()).toHaveLength(1);
  expect(runtime.names()).not.toContain(id);
  neighbour.kill("SIGTERM");
  await neighbour.exited;
  expect(runtime.names()).toEqual([]);
}, 60_000);

test("eight processes make and take away at once: one has a name at a time, and nothing stays", async () => {
  const runtime = new Runtime();
  const makers = Array.from({ length: 8 }, (_, number) => runtime.ask("cycle", String(number), "60"));
  const had = (await Promise.all(makers)).reduce<number>((sum, count) => sum + Number(count), 0);
  expect(had).toBeGreaterThan(0);
  expect(runtime.names()).toEqual([]);
}, 120_000);

test("a thousand at once are all found, and all swept when their maker was killed", async () => {
  const runtime = new Runtime();
  const holder = runtime.tool("hold", "1000");
  await holder.stdout.getReader().read();
  expect(await runtime.ask("list")).toHaveLength(1000);
  expect(await runtime.ask("find", "held-777")).toMatchObject({ id: "held-777" });
  expect(await runtime.ask("sweep")).toBe(0);
  expect((await runtime.result("--", "true")).status).toBe("succeeded");
  expect(runtime.names()).toHaveLength(1000);
  await kill(holder);
  expect(await runtime.ask("list")).toEqual([]);
  expect((await runtime.result("--", "true")).status).toBe("succeeded");
  expect(runtime.names()).toEqual([]);
}, 120_000);

test("what is no record is left alone, whatever it is, and is no zone", async () => {
  const runtime = new Runtime();
  const victim = join(runtime.path, "victim");
  writeFileSync(victim, "precious");
  mkdirSync(runtime.zones, { recursive: true, mode: 0o700 });
  chmodSync(join(runtime.path, "rauha"), 0o700);
  const at = (name: string) => join(runtime.zones, name);
  symlinkSync(victim, at("zone_link"));
  writeFileSync(at("zone_text"), "not a record\n".repeat(30));
  writeFileSync(at("zone_empty"), "");
  mkdirSync(at("zone_directory"));
  expect(Bun.spawnSync(["mkfifo", at("zone_fifo")]).exitCode).toBe(0);
  const foreign = runtime.names();
  expect(await runtime.ask("list")).toEqual([]);
  for (const name of foreign) expect(await runtime.ask("find", name)).toBeNull();
  expect(await runtime.ask("sweep")).toBe(0);
  expect(runtime.names()).toEqual(foreign);
  expect(readFileSync(victim, "utf8")).toBe("precious");
  // Of another version, or cut: a record all the same, but of nobody who lives.
  writeFileSync(at("zone_other"), Buffer.concat([Buffer.from("RAUHAZ\n\0"), Buffer.alloc(400, 7)]));
  writeFileSync(at("zone_cut"), Buffer.concat([Buffer.from("RAUHAZ\n\0"), Buffer.alloc(20, 7)]));
  expect(await runtime.ask("list")).toEqual([]);
  expect(await runtime.ask("sweep")).toBe(2);
  expect(runtime.names()).toEqual(foreign);
}, 60_000);

/** What a lasting zone says in a runtime directory that something is wrong with. */
async function complaint(runtime: Runtime): Promise<string> {
  const result = await runtime.result("--", "sleep", "0.4");
  expect(result.status).toBe("succeeded");
  const [event, ...more] = skipped(result);
  expect(more).toEqual([]);
  expect(event).toMatchObject({ "event.outcome": "skipped", level: "info" });
  return String(event?.["degraded_reason"]);
}

test("a directory that leads elsewhere is not used: the zone runs, and says why it has no record", async () => {
  const runtime = new Runtime();
  const elsewhere = mkdtempSync(join(base, "elsewhere-"));
  symlinkSync(elsewhere, join(runtime.path, "rauha"));
  expect(await complaint(runtime)).toEndWith("rauha/zones: ELOOP");
  expect(readdirSync(elsewhere)).toEqual([]);
});

test("a directory that others may look into is not used", async () => {
  const runtime = new Runtime();
  mkdirSync(runtime.zones, { recursive: true });
  chmodSync(runtime.zones, 0o755);
  expect(await complaint(runtime)).toContain("is not this user's alone");
  expect(runtime.names()).toEqual([]);
});

if (isRoot)
  test("a directory of somebody else's is not used", async () => {
    const runtime = new Runtime();
    mkdirSync(runtime.zones, { recursive: true, mode: 0o700 });
    chownSync(runtime.zones, 12_321, 12_321);
    expect(await complaint(runtime)).toContain("is not this user's alone");
    expect(runtime.names()).toEqual([]);
  });
else
  test("without a runtime directory the zone runs; the event and doctor say so", async () => {
    const { XDG_RUNTIME_DIR: _, ...env } = callerEnvironment();
    const run = (...words: readonly string[]) => Bun.spawnSync([RAUHA, ...words], { cwd: "/", env }).stdout.toString();
    const result = parseResult(run("sandbox", "--json", "--", "sleep", "0.4"));
    expect(result.status).toBe("succeeded");
    expect(skipped(result)).toMatchObject([{ degraded_reason: "XDG_RUNTIME_DIR names no runtime directory" }]);
    const { findings } = JSON.parse(run("doctor", "--json")) as { findings: readonly Record<string, unknown>[] };
    expect(findings.find(({ check }) => check === "zone_records")).toMatchObject({
      state: "unavailable",
      needed: false,
      fix: expect.stringContaining("XDG_RUNTIME_DIR"),
    });
  });
