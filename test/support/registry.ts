/** Debian's docker-registry on a free port of the loopback, gone when the tests are over. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "./folders.ts";
import { patient } from "./identity.ts";
import { toolPath } from "./tools.ts";

export interface Registry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Requests that it answered so far: `GET /v2/a/manifests/1 200`. */
  requests(): string[];
  stop(): Promise<void>;
}

export interface RegistryOptions {
  /** `auth:` of its configuration, as YAML in flow style. */
  readonly auth?: string;
  /** Files of another registry to serve. */
  readonly storage?: string;
}

/** Starts one; the caller's `afterAll` has to stop it. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry & { readonly storage: string }> {
  const folder = makeFolder("registry");
  const storage = options.storage ?? join(folder, "storage");
  const [config, log] = [join(folder, "config.yml"), join(folder, "log")];
  writeFileSync(
    config,
    [
      "version: 0.1",
      "log: {level: info, accesslog: {disabled: false}}",
      `storage: {filesystem: {rootdirectory: ${storage}}, delete: {enabled: true}}`,
      "http: {addr: '127.0.0.1:0', secret: s}",
      ...(options.auth === undefined ? [] : [`auth: ${options.auth}`]),
    ].join("\n"),
  );
  const child = Bun.spawn([toolPath("docker-registry"), "serve", config], {
    stdio: ["ignore", Bun.file(log), Bun.file(`${log}.words`)],
    env: { OTEL_TRACES_EXPORTER: "none" },
  });
  const stop = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  const read = (path: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  for (const began = performance.now(); ; await Bun.sleep(20)) {
    const host = /listening on (127\.0\.0\.1:[0-9]+)/.exec(read(`${log}.words`))?.[1];
    const requests = () =>
      [...read(log).matchAll(/"([A-Z]+) (\S+) HTTP\/1\.1" ([0-9]{3})/g)].map(([, ...parts]) => parts.join(" "));
    if (host !== undefined) return { host, storage, requests, stop };
    if (child.exitCode !== null || performance.now() - began > patient(30_000)) {
      throw new Error(`docker-registry doesn't start: ${read(`${log}.words`)}`);
    }
  }
}
