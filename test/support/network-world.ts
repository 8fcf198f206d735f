/**
 * Two machines of a test's own: one on which zones run, with a /run and a network of its own, and one outside with servers, joined by a
 * cable. Both are namespaces: nothing of the real machine's network is touched.
 *
 *     zones ── rauha0 ── [ inside: 192.0.2.1 up0 ] ── cable ── [ w0 192.0.2.2 : outside, and what else it is told to be ]
 */
import { join } from "node:path";
import { patient } from "./identity.ts";
import { type Answer, attemptWords, parseAnswers, probePath } from "./probe.ts";
import { callerEnvironment, parseResult, RAUHA, type Run } from "./rauha.ts";

export const inside = "192.0.2.1";
export const outside = "192.0.2.2";
/** Addresses that the machine outside answers to, besides its own: a public one, a private one, the clouds' metadata. */
export const publicAddress = "198.51.100.10";
export const privateAddress = "10.7.7.7";
export const metadataAddress = "169.254.169.254";

export class NetworkWorld {
  readonly #inside: Bun.Subprocess;
  readonly #outside: Bun.Subprocess;
  readonly #children: Bun.Subprocess[] = [];

  private constructor(insideHolder: Bun.Subprocess, outsideHolder: Bun.Subprocess) {
    this.#inside = insideHolder;
    this.#outside = outsideHolder;
  }

  /** Makes the two, the cable between them, and routes. Forwarding is off, as on any machine that is no router. */
  static async make(): Promise<NetworkWorld> {
    const host = await hold(["--net", "--mount", "--propagation", "private"], "mount -t tmpfs tmpfs /run");
    const world = new NetworkWorld(host, await hold(["--net"], "true"));
    const cable = `ip link add up0 type veth peer name w0 netns ${world.#outside.pid}`;
    world.insideDo(
      `ip link set lo up; sysctl -qw net.ipv4.conf.default.forwarding=0 net.ipv4.conf.all.forwarding=0; ${cable}; ip addr add ${inside}/24 dev up0; ip link set up0 up; ip route add default via ${outside}`,
    );
    const extra = [publicAddress, privateAddress, metadataAddress].map((address) => `ip addr add ${address}/32 dev lo`);
    world.outsideDo(
      `ip link set lo up; ip addr add ${outside}/24 dev w0; ip link set w0 up; ip route add 10.89.0.0/16 via ${inside}; ${extra.join("; ")}`,
    );
    return world;
  }

  /** A shell's output on the machine of the zones; throws if it fails. */
  insideDo(script: string): string {
    return shell([...this.#enter(this.#inside, true), "sh", "-ec", script]);
  }

  outsideDo(script: string): string {
    return shell([...this.#enter(this.#outside, false), "sh", "-ec", script]);
  }

  /** `rauha sandbox` on the machine of the zones. */
  async sandbox(flags: readonly string[], command: readonly string[]): Promise<Run> {
    const began = performance.now();
    const child = this.start(flags, command);
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    await child.exited;
    const signal = child.signalCode === null ? null : String(child.signalCode);
    const ended = { exitCode: child.exitCode, signal, stdout, stderr, ms: performance.now() - began };
    return { ...ended, result: parseResult(stdout, stderr) };
  }

  /** The same, running. */
  start(flags: readonly string[], command: readonly string[]): Bun.Subprocess<"ignore", "pipe", "pipe"> {
    const words = [...this.#enter(this.#inside, true), RAUHA, "sandbox", ...flags, "--", ...command];
    const child = Bun.spawn(words, { stdio: ["ignore", "pipe", "pipe"], cwd: "/", env: callerEnvironment() });
    this.#children.push(child);
    return child;
  }

  /** What the probe is answered on a machine itself. */
  probe(machine: "inside" | "outside", ...attempts: readonly string[]): Answer[] {
    const enter = machine === "inside" ? this.#enter(this.#inside, true) : this.#enter(this.#outside, false);
    const { stdout } = Bun.spawnSync([...enter, probePath, ...attemptWords(attempts)], { stdin: "ignore" });
    return parseAnswers(stdout.toString());
  }

  /** Servers on a machine: TCP that says who connected, UDP that says what came; each line they write, as it comes. */
  async serve(machine: "inside" | "outside", ...ports: readonly number[]): Promise<Servers> {
    const enter = machine === "inside" ? this.#enter(this.#inside, true) : this.#enter(this.#outside, false);
    const script = join(import.meta.dir, "network-servers.ts");
    const child = Bun.spawn([...enter, process.execPath, script, ...ports.map(String)], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...callerEnvironment(), BUN_BE_BUN: "1" },
    });
    this.#children.push(child);
    const servers = new Servers(child.stdout);
    await servers.wait("ready");
    return servers;
  }

  /** All that zones could leave behind on their machine. */
  state(): Record<string, string> {
    return {
      // Without what a device's carrier says, which comes and goes by itself.
      links: this.insideDo("ip -o link | sed 's/<.*link/link/'"),
      addresses: this.insideDo(
        "ip -o -4 addr; ip -4 route show table all | sed 's/ linkdown//'; ip neigh show nud permanent",
      ),
      rules: this.insideDo("nft -a list ruleset"),
      settings: this.insideDo(
        "cd /proc/sys/net; grep -r . ipv4/conf/*/forwarding ipv4/ip_forward ipv6/conf/*/disable_ipv6",
      ),
      // The lock's file stays: it knows which address was given last.
      records: this.insideDo("find /run/rauha -type f ! -name network.lock 2>/dev/null || true"),
    };
  }

  /** Ends everything that was started. */
  async end(): Promise<void> {
    for (const child of [...this.#children, this.#inside, this.#outside]) child.kill("SIGKILL");
    await Promise.all([...this.#children, this.#inside, this.#outside].map((child) => child.exited));
  }

  #enter(machine: Bun.Subprocess, mounts: boolean): string[] {
    return ["nsenter", "--target", `${machine.pid}`, "--net", ...(mounts ? ["--mount"] : [])];
  }
}

/** The lines that servers write. */
export class Servers {
  readonly lines: string[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(stream: ReadableStream<Uint8Array>) {
    void this.#read(stream);
  }

  /** Waits until a line has this in it. */
  async wait(text: string): Promise<string> {
    const deadline = Date.now() + patient(20_000);
    for (;;) {
      const line = this.lines.find((one) => one.includes(text));
      if (line !== undefined) return line;
      if (Date.now() > deadline) throw new Error(`no line with ${text} in ${JSON.stringify(this.lines)}`);
      await Promise.race([new Promise<void>((resolve) => this.#waiting.push(resolve)), Bun.sleep(500)]);
    }
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      const lines = `${rest}${decoder.decode(chunk)}`.split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }
}

/** A process in new namespaces, when its script is done. */
async function hold(namespaces: readonly string[], script: string): Promise<Bun.Subprocess> {
  const words = ["unshare", ...namespaces, "sh", "-ec", `${script}; echo ready; exec sleep 3600`];
  const child = Bun.spawn(words, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const _ of child.stdout) return child;
  throw new Error("no namespaces for the test");
}

function shell(words: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...words], { stdin: "ignore" });
  if (exitCode !== 0) throw new Error(`${words.at(-1)}: ${stderr.toString()}`);
  return stdout.toString();
}
