/** What can go wrong between us and a registry, each with its code, its words, and whether a second try makes sense. */
import type { Diagnostic, ErrorCode } from "../../run/diagnostic.ts";
import { ImageError } from "../image-error.ts";
import { retryAfterMs } from "./back-off.ts";

/** A refusal of, or on the way to, a registry. */
export class RegistryFailure extends ImageError {
  /** It may pass by itself. */
  readonly passing: boolean;
  /** The pause that the registry asks for. */
  readonly retryAfterMs: number | undefined;

  constructor(diagnostic: Diagnostic, passing: boolean, wait?: number) {
    super([diagnostic]);
    this.passing = passing;
    this.retryAfterMs = wait;
  }
}

/** No connection, or one that broke. `host` is whom we asked. */
export function connectionFailure(error: unknown, host: string): RegistryFailure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const said = (error instanceof Error ? error.message : String(error)).replace(/^[A-Z_]+: /, "").slice(0, 200);
  const words = Object.hasOwn(plainWords, code) ? (plainWords[code] ?? said) : said;
  if (/CERT|TLS|SSL|EPROTO|SELF_SIGNED|UNABLE_TO_/.test(code)) return tlsFailure(code, words, host);
  const lasting = /ECONNREFUSED|ConnectionRefused|ENOTFOUND|EHOSTUNREACH|ENETUNREACH/.test(code);
  const message = `${host} can't be reached: ${words}${code === "" || words.includes(code) ? "" : ` (${code})`}`;
  const hint = "check the name and the network; HTTPS_PROXY names a proxy, and a mirror can stand in registries.toml";
  return new RegistryFailure({ code: "unreachable", message, hint }, !lasting);
}

/** What the runtime says in other words. */
const plainWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ConnectionRefused: "nothing listens there",
  ENOTFOUND: "there is no such name",
};

function tlsFailure(code: string, words: string, host: string): RegistryFailure {
  const speaks = code === "EPROTO";
  const hint = speaks
    ? `if ${host} speaks plain HTTP: [registry."${host}"] insecure = true in registries.toml`
    : `if you trust its certificate: [registry."${host}"] ca = "FILE" in registries.toml`;
  return new RegistryFailure(
    { code: "tls_failed", message: `no secure connection to ${host}: ${words} (${code})`, hint },
    false,
  );
}

/** A registry that stopped sending. */
export function silence(host: string, timeoutMs: number): RegistryFailure {
  const message = `${host} sent nothing for ${timeoutMs / 1000} seconds`;
  return new RegistryFailure({ code: "unreachable", message, hint: "timeout in registries.toml is the limit" }, true);
}

/** Bytes come, and so few that there is no end to it. */
export class SlowTransfer extends RegistryFailure {
  constructor(host: string, bytes: number, ms: number) {
    const message = `${host} stalls: it sent ${bytes} bytes in ${Math.round(ms / 100) / 10} seconds`;
    const hint = "try again later, or from a mirror: mirrors in registries.toml; what came is kept";
    super({ code: "unreachable", message, hint }, true);
  }
}

/** Who answered about what. */
export interface Asked {
  readonly host: string;
  /** The image, as the user knows it. */
  readonly what: string;
  /** Where the credentials came from that were refused; undefined when there were none. */
  readonly credentials: string | undefined;
}

/** An answer that is not what was asked for. `said` is the registry's own explanation. */
export function answerFailure(status: number, headers: Headers, said: string, asked: Asked): RegistryFailure {
  const { host, what, credentials } = asked;
  const because = said === "" ? "" : `: ${said}`;
  const failure = (code: ErrorCode, message: string, hint: string, passing = false, wait?: number) =>
    new RegistryFailure({ code, message: `${message} (HTTP ${status}${because})`, hint }, passing, wait);
  const wait = retryAfterMs(headers.get("retry-after"), Date.now());
  if (status === 401 || status === 403) {
    if (credentials === undefined) {
      const hint = `if the name is right, log in: docker login ${host}`;
      return failure("unauthorized", `${host} gives ${what} to nobody without credentials`, hint);
    }
    return failure(
      "unauthorized",
      `${host} refuses ${what} to the credentials of ${credentials}`,
      `log in anew: docker login ${host}`,
    );
  }
  if (status === 404) {
    return failure("not_found", `${host} has no image ${what}`, "check the name and the tag; names are HOST/NAME:TAG");
  }
  if (status === 429) {
    const later = wait === undefined ? "try again later" : `try again in ${Math.ceil(wait / 1000)} seconds`;
    const more = credentials === undefined ? `; logged in, you may get more: docker login ${host}` : "";
    return failure("rate_limited", `${host} answers no more requests of yours for now`, `${later}${more}`, true, wait);
  }
  const passing = status === 408 || status >= 500;
  return failure(
    "registry_error",
    `${host} failed to give ${what}`,
    passing ? "try again later" : "is it a registry?",
    passing,
    wait,
  );
}

/** A registry's answer breaks the protocol. */
export function protocolFailure(host: string, message: string, passing = false): RegistryFailure {
  const hint = "is it a registry, or a proxy in between?";
  return new RegistryFailure({ code: "registry_error", message: `${host}: ${message}`, hint }, passing);
}

/** The first error of a registry's JSON answer, in one short line; empty when there is none. */
export function explanationOf(body: string): string {
  try {
    const { errors, details } = JSON.parse(body) as {
      errors?: { code?: unknown; message?: unknown }[];
      details?: unknown;
    };
    const first = errors?.[0];
    const parts = first === undefined ? [details] : [first.code, first.message];
    const text = parts.filter((part) => typeof part === "string" && part !== "").join(", ");
    return text.slice(0, 200);
  } catch {
    return "";
  }
}
