/**
 * From a registry's challenge to the header that answers it: basic credentials, or a token of the server that the challenge names
 * (the token authentication of the distribution specification).
 */
import type { Challenge } from "./challenge.ts";
import type { Credentials } from "./credential.ts";
import { answerFailure, explanationOf, protocolFailure } from "./failure.ts";
import { type HttpContext, send } from "./transport.ts";

/** Who asks a registry for what. */
export interface Applicant {
  /** The registry's own address. */
  readonly registry: URL;
  readonly repository: string;
  /** The image, as the user knows it. */
  readonly what: string;
  readonly insecure: boolean;
  readonly ca: string | undefined;
  readonly credentials: Credentials | undefined;
}

const maxAnswer = 1 << 20;

/** The `Authorization` header; undefined when nothing that we have answers any of the challenges. */
export async function authorize(
  challenges: readonly Challenge[],
  applicant: Applicant,
  context: HttpContext,
): Promise<string | undefined> {
  const { credentials } = applicant;
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  if (bearer !== undefined) {
    const token = credentials?.kind === "token" ? credentials.token : await fetchToken(bearer, applicant, context);
    return `Bearer ${token}`;
  }
  const basic = challenges.some(({ scheme }) => scheme === "basic");
  return basic && credentials?.kind === "password" ? basicHeader(credentials) : undefined;
}

function basicHeader({ username, password }: Extract<Credentials, { kind: "password" }>): string {
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}

async function fetchToken({ parameters }: Challenge, applicant: Applicant, context: HttpContext): Promise<string> {
  const { credentials, repository, insecure, ca } = applicant;
  const realm = checkedRealm(parameters.get("realm") ?? "", applicant.registry);
  const service = parameters.get("service");
  const scope = parameters.get("scope") ?? `repository:${repository}:pull`;
  const trust = { insecure: insecure && realm.hostname === applicant.registry.hostname, ca };
  const answer =
    credentials?.kind === "identity"
      ? await send({ url: realm, method: "POST", ...refreshForm(credentials.token, service, scope), ...trust }, context)
      : await send({ url: withQuery(realm, service, scope, credentials), ...headerOf(credentials), ...trust }, context);
  const text = new TextDecoder().decode(await answer.whole(maxAnswer));
  if (answer.status !== 200) {
    const asked = { host: realm.host, what: `a token for ${applicant.what}`, credentials: credentials?.from };
    throw answerFailure(answer.status, answer.headers, explanationOf(text), asked);
  }
  return tokenOf(text) ?? fail(realm.host);
}

/**
 * The realm is the registry's word, and the user's password goes there: to the registry's own host as the registry itself is
 * reached, to any other host over TLS alone.
 */
export function checkedRealm(text: string, registry: URL): URL {
  const realm = URL.canParse(text) ? new URL(text) : undefined;
  if (realm === undefined || !/^https?:$/.test(realm.protocol)) {
    throw protocolFailure(registry.host, "names a token server that is no URL");
  }
  const sameHost = realm.hostname === registry.hostname && registry.protocol === "http:";
  if (realm.protocol === "http:" && !sameHost) {
    throw protocolFailure(
      registry.host,
      `names the token server ${realm.host} over plain HTTP, which gets no credentials`,
    );
  }
  realm.username = "";
  realm.password = "";
  return realm;
}

function withQuery(realm: URL, service: string | undefined, scope: string, credentials: Credentials | undefined): URL {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const one of scope.split(" ")) if (one !== "") url.searchParams.append("scope", one);
  if (credentials?.kind === "password") url.searchParams.set("account", credentials.username);
  return url;
}

function headerOf(credentials: Credentials | undefined): { authorization?: string } {
  return credentials?.kind === "password" ? { authorization: basicHeader(credentials) } : {};
}

function refreshForm(token: string, service: string | undefined, scope: string) {
  const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: token, client_id: "rauha", scope });
  if (service !== undefined) form.set("service", service);
  return { body: form.toString(), headers: { "content-type": "application/x-www-form-urlencoded" } };
}

function tokenOf(text: string): string | undefined {
  try {
    const { token, access_token } = JSON.parse(text) as { token?: unknown; access_token?: unknown };
    const found = typeof token === "string" && token !== "" ? token : access_token;
    // It becomes a part of a header.
    return typeof found === "string" && /^[\x21-\x7e]+$/.test(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function fail(host: string): never {
  throw protocolFailure(host, "answered with no token");
}
