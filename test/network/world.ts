/** The client of the tests' world (world/main.ts): starts it, runs Rauha in it, asks what reached its servers. */
import { afterAll } from "bun:test";
import { chmodSync, mkdirSync } from "node:fs";
import { makeFolder } from "../support/folders.ts";
import { isRoot } from "../support/identity.ts";
import { callerEnvironment, parseResult, RAUHA, type Run } from "../support/rauha.ts";
import { makeCertificates } from "./world/certificates.ts";

export interface Seen {
  readonly seen: readonly string[];
  readonly asked: readonly string[];
}

export class World {
  readonly folder: string;
  readonly #child: Bun.Subprocess<"pipe", "pipe", "inherit">;

  private constructor(folder: string, child: Bun.Subprocess<"pipe", "pipe", "inherit">) {
    this.folder = folder;
    this.#child = child;
  }

  static async start(files = ""): Promise<World> {
    const folder = makeFolder("world");
    mkdirSync(`${folder}/certificates`);
    makeCertificates(`${folder}/certificates`);
    const uid = String(process.getuid?.() ?? 0);
    const gid = String(process.getgid?.() ?? 0);
    // An ordinary user is root of the world, and Rauha runs in it as an ordinary user again.
    const outer = isRoot ? ["unshare", "-nm"] : ["unshare", "-Urnm"];
    const nested = isRoot ? "" : `unshare -U --map-user=${uid} --map-group=${gid}`;
    const main = new URL("world/main.ts", import.meta.url).pathname;
    const child = Bun.spawn([...outer, process.execPath, main, folder, nested], {
      cwd: "/",
      env: { ...callerEnvironment(), RAUHA_WORLD_FILES: files, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    if (value === undefined || !new TextDecoder().decode(value).includes("ready"))
      throw new Error("the tests' world did not start");
    reader.releaseLock();
    chmodSync(folder, 0o755);
    return new World(folder, child);
  }

  /** The certificate of the world's authority. */
  get authority(): string {
    return `${this.folder}/certificates/ca.pem`;
  }

  /** Runs a program in the world, outside any zone. */
  async run(
    argv: readonly string[],
    { env = {}, stdin }: { readonly env?: Record<string, string>; readonly stdin?: string } = {},
  ): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
    const body = JSON.stringify({ argv, env: { ...callerEnvironment(), ...env }, stdin });
    return (await this.#ask("/run", body)).json() as never;
  }

  /** `rauha sandbox` in the world, network mode filtered. */
  async sandbox(
    flags: readonly string[],
    command: readonly string[],
    more: Parameters<World["run"]>[1] = {},
  ): Promise<Run> {
    const ended = await this.run([RAUHA, "sandbox", "--network", "filtered", ...flags, "--", ...command], more);
    return { ...ended, signal: null, ms: 0, result: parseResult(ended.stdout, ended.stderr) };
  }

  async seen(): Promise<Seen> {
    return (await this.#ask("/seen")).json() as never;
  }

  async forget(): Promise<void> {
    await this.#ask("/forget");
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    await this.#child.exited;
  }

  #ask(path: string, body?: string): Promise<Response> {
    const init = {
      unix: `${this.folder}/control`,
      timeout: false,
      ...(body === undefined ? {} : { method: "POST", body }),
    };
    return fetch(`http://world${path}`, init as never);
  }
}

/** A world for the tests of one file. */
export async function worldForTests(files?: string): Promise<World> {
  const world = await World.start(files);
  afterAll(() => world.stop());
  return world;
}
