/**
 * Credentials as podman and docker keep them: `$REGISTRY_AUTH_FILE` or the places of containers-auth.json(5), then
 * `$DOCKER_CONFIG/config.json` (by default ~/.docker), with the helpers that they name. They are looked up only when a registry asks.
 */
import type { HostIo } from "../../run/backend.ts";
import { refuse } from "../image-error.ts";
import type { Credentials } from "./credential.ts";
import { helperCredentials } from "./credential-helper.ts";

/** Where credentials are looked for. */
export interface CredentialSource {
  readonly io: Pick<HostIo, "readText">;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Json = Readonly<Record<string, unknown>>;

/** The credentials for a repository; undefined when there are none. Throws for a file or a helper that can't be read. */
export async function findCredentials(
  source: CredentialSource,
  registry: string,
  repository: string,
): Promise<Credentials | undefined> {
  for (const { path, required } of authFiles(source.env)) {
    const file = readAuthFile(source.io, path, required);
    if (file === undefined) continue;
    const found = await credentialsIn(file, path, registry, repository, source.env);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The files in the order they are asked: podman's and skopeo's, then docker's. One that the environment names must be there. */
export function authFiles(
  env: CredentialSource["env"],
  uid: number | undefined = process.getuid?.(),
): { readonly path: string; readonly required: boolean }[] {
  const { REGISTRY_AUTH_FILE: named = "", DOCKER_CONFIG: folder = "", HOME: home = "" } = env;
  const { XDG_RUNTIME_DIR: run = "", XDG_CONFIG_HOME: config = "" } = env;
  const below = (base: string, path: string) => (base === "" ? [] : [{ path: `${base}/${path}`, required: false }]);
  const ours =
    named !== ""
      ? [{ path: named, required: true }]
      : [
          ...below(
            run !== "" ? run : uid === undefined ? "" : `/run/containers/${uid}`,
            run !== "" ? "containers/auth.json" : "auth.json",
          ),
          ...below(config !== "" ? config : home === "" ? "" : `${home}/.config`, "containers/auth.json"),
        ];
  return [...ours, ...below(folder !== "" ? folder : home === "" ? "" : `${home}/.docker`, "config.json")];
}

function readAuthFile(io: CredentialSource["io"], path: string, required: boolean): Json | undefined {
  const read = io.readText(path, 1 << 20);
  if ("problem" in read) {
    if (!required && (read.problem === "ENOENT" || read.problem === "ENOTDIR")) return undefined;
    refuse(read.problem === "EACCES" ? "permission" : "invalid_config", `${path} can't be read: ${read.problem}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(read.text);
  } catch {
    value = undefined;
  }
  return isObject(value)
    ? value
    : refuse("invalid_config", `${path} is not a JSON object`, "docker login and podman login write it");
}

async function credentialsIn(
  file: Json,
  path: string,
  registry: string,
  repository: string,
  env: CredentialSource["env"],
): Promise<Credentials | undefined> {
  const keys = registryKeys(registry, repository);
  const helpers = isObject(file["credHelpers"]) ? file["credHelpers"] : {};
  const [named] = keys.filter((key) => typeof helpers[key] === "string");
  const store = typeof file["credsStore"] === "string" && file["credsStore"] !== "" ? file["credsStore"] : undefined;
  const helper = named === undefined ? store : String(helpers[named]);
  if (helper !== undefined) {
    const server = named ?? (registry === "docker.io" ? "https://index.docker.io/v1/" : registry);
    const found = await helperCredentials(helper, server, path, env);
    if (found !== undefined) return found;
  }
  const auths = isObject(file["auths"]) ? file["auths"] : {};
  for (const key of keys) {
    const entry = Object.hasOwn(auths, key) ? auths[key] : undefined;
    const found = isObject(entry) ? decodeEntry(entry, `${path} (${key})`) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Keys that may stand for a repository, the most exact first: podman keys by namespace too, docker has older spellings. */
export function registryKeys(registry: string, repository: string): string[] {
  const parts = repository.split("/");
  const names = parts.map((_, index) => `${registry}/${parts.slice(0, parts.length - index).join("/")}`);
  const hosts = registry === "docker.io" ? ["docker.io", "index.docker.io", "registry-1.docker.io"] : [registry];
  const spelled = hosts.flatMap((host) => [
    host,
    `https://${host}`,
    `https://${host}/v1/`,
    `https://${host}/v2/`,
    `http://${host}`,
  ]);
  return [...names, ...spelled];
}

function decodeEntry(entry: Json, from: string): Credentials | undefined {
  const text = (key: string): string => (typeof entry[key] === "string" ? entry[key] : "");
  if (text("registrytoken") !== "") return { kind: "token", token: text("registrytoken"), from };
  if (text("identitytoken") !== "") return { kind: "identity", token: text("identitytoken"), from };
  if (text("username") !== "") {
    return { kind: "password", username: text("username"), password: text("password"), from };
  }
  if (text("auth") === "") return undefined;
  const decoded = Buffer.from(text("auth"), "base64").toString("utf8").replace(/\0+$/, "");
  const colon = decoded.indexOf(":");
  if (colon < 1) {
    refuse("invalid_config", `${from}: auth is not the base64 of USER:PASSWORD`, "docker login writes it anew");
  }
  return { kind: "password", username: decoded.slice(0, colon), password: decoded.slice(colon + 1), from };
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
