/** Where the cases of network mode bridged play: two machines of the test's own, policies, and zones that listen. */
import { afterAll, beforeAll, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../../support/folders.ts";
import { isPinned, patient } from "../../support/identity.ts";
import { NetworkWorld, type Servers } from "../../support/network-world.ts";
import { type Attempt, attemptWords, PROBE, parseAnswers, probeBind } from "../../support/probe.ts";

/** A reset, from a host that has a server there: else it would not show who refused. */
export const refused = "ECONNREFUSED";
/** What no list has comes no further than to the BPF programs, where they are set up. */
export const unlisted = isPinned ? "EPERM" : refused;
export const python = "/usr/bin/python3";

export async function ended(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGTERM");
  await child.exited;
}

/** The lists of a policy; empty where nothing is said. */
export interface Wish {
  readonly egress?: readonly string[];
  readonly ingress?: readonly string[];
  readonly zones?: readonly string[];
  readonly capabilities?: readonly string[];
  /** System calls that the default profile denies. */
  readonly calls?: readonly string[];
}

/** What a connection to this place is to the probe. */
export const to = (address: string, port: number): string => `connect inet ${address} ${port}`;

/** Made for one file of tests, before they run, and gone after them. */
export class BridgedStage {
  readonly #folder = makeFolder("bridged");
  #world: NetworkWorld | undefined;
  #servers: Servers | undefined;
  /** A test that is left out where only what the kernel's version may decide is asked. */
  readonly more: typeof test;

  constructor(brief: boolean) {
    this.more = brief ? ((() => undefined) as unknown as typeof test) : test;
    beforeAll(async () => {
      this.#world = await NetworkWorld.make();
      this.#servers = await this.#world.serve("outside", 80, 81, 53);
    }, patient(30_000));
    afterAll(async () => await this.#world?.end());
  }

  get world(): NetworkWorld {
    if (this.#world === undefined) throw new Error("the world is made before the first test");
    return this.#world;
  }

  /** What listens outside. */
  get servers(): Servers {
    if (this.#servers === undefined) throw new Error("the servers are started before the first test");
    return this.#servers;
  }

  /** A policy file of this name with these lists. */
  policy(name: string, wish: Wish = {}): string[] {
    const path = join(this.#folder, `${name}.toml`);
    const list = (key: string, items: readonly string[] = []) => `${key} = ${JSON.stringify(items)}`;
    const lines = [
      `[zone]\nname = "${name}"`,
      `[capabilities]\n${list("allowed", wish.capabilities)}`,
      `[network]\nmode = "bridged"`,
      list("allowed_egress", wish.egress),
      list("allowed_ingress", wish.ingress),
      list("allowed_zones", wish.zones),
      `[syscalls]\n${list("allow", wish.calls)}`,
      `[filesystem]\nroot = "host"\nwritable_paths = ["/tmp"]\n`,
    ];
    writeFileSync(path, lines.join("\n"));
    return ["--policy", path];
  }

  /** What the probe is answered in a zone with these lists. */
  async tryBridged(wish: Wish, ...attempts: readonly Attempt[]): Promise<Record<string, string>> {
    const run = await this.world.sandbox(
      [...this.policy("tried", wish), ...probeBind],
      [PROBE, ...attemptWords(attempts)],
    );
    if (run.result.error !== null) throw new Error(`${run.result.error.message} ${run.stderr}`);
    return Object.fromEntries(parseAnswers(run.result.stdout ?? "").map(({ attempt, outcome }) => [attempt, outcome]));
  }

  /** A zone that says its address and answers on a port until it is ended. */
  async listeningZone(name: string, wish: Wish) {
    const serve = `import socket,sys
s=socket.create_server(("0.0.0.0",7000))
print("address",open("/proc/net/fib_trie").read().count("x"),flush=True)
while True:
  c,_=s.accept(); c.sendall(b"hello"); c.close()`;
    const child = this.world.start(
      [...this.policy(name, wish), "--stream"],
      ["sh", "-c", `ip -o -4 addr show eth0; exec ${python} -c '${serve}'`],
    );
    let text = "";
    for await (const chunk of child.stdout) {
      text += new TextDecoder().decode(chunk);
      if (text.includes("address ")) break;
    }
    const address = /inet (10\.89\.\d+\.\d+)\/32/.exec(text)?.[1];
    if (address === undefined) throw new Error(`the zone does not run: ${text} ${await child.stderr.text()}`);
    return { address, [Symbol.asyncDispose]: () => ended(child) };
  }
}
