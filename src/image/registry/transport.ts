/**
 * One HTTP request and its answer: proxies, certificates, redirects, and patience. Credentials go to the place they are meant for
 * and nowhere else: a redirect to another scheme, host or port is followed without them.
 */
import { connectionFailure, protocolFailure, SlowTransfer, silence } from "./failure.ts";
import { type Pace, PaceWatch } from "./pace.ts";
import { proxyFor } from "./proxy.ts";
import { trustedCertificates } from "./trust.ts";

/** A request; redirects are followed, within bounds. */
export interface HttpRequest {
  readonly url: URL;
  readonly method?: "GET" | "HEAD" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to the origin of `url` alone. */
  readonly authorization?: string | undefined;
  readonly body?: string;
  /** Certificates are not verified, and a redirect may lead to plain HTTP. */
  readonly insecure: boolean;
  /** A file of certificates to trust besides the system's. */
  readonly ca: string | undefined;
}

/** What requests go by. */
export interface HttpContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long the other side may send nothing. */
  readonly timeoutMs: number;
  /** What a body has to bring at least. */
  readonly pace: Pace;
}

/** An answer, whatever its status. A connection that fails is thrown as a RegistryFailure. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Whom we asked last: host and port. */
  readonly host: string;
  /** The body in pieces, as they arrive; throws a RegistryFailure when it breaks off or stalls. May be read once. */
  pieces(): AsyncGenerator<Uint8Array>;
  /** The body as a whole; throws when it is larger. */
  whole(limit: number): Promise<Uint8Array>;
  /** Lets go of the connection when the body is not wanted. */
  drop(): void;
}

const maxRedirects = 10;

/** Sends a request and follows redirects. Throws a RegistryFailure when there is no answer; any status is an answer. */
export async function send(request: HttpRequest, context: HttpContext): Promise<HttpAnswer> {
  let { url } = request;
  for (let hop = 0; ; hop++) {
    const answer = await sendOnce(request, url, context);
    const location = answer.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === null) return answer;
    answer.drop();
    if (hop >= maxRedirects) throw protocolFailure(url.host, `redirects more than ${maxRedirects} times`);
    url = redirected(url, location, request.insecure);
  }
}

function redirected(from: URL, location: string, insecure: boolean): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (to === undefined || !/^https?:$/.test(to.protocol))
    throw protocolFailure(from.host, "redirects to what is no URL");
  if (from.protocol === "https:" && to.protocol === "http:" && !insecure) {
    throw protocolFailure(from.host, `redirects to ${to.host} over plain HTTP, which is not followed`);
  }
  to.username = "";
  to.password = "";
  return to;
}

async function sendOnce(request: HttpRequest, url: URL, context: HttpContext): Promise<HttpAnswer> {
  const abort = new AbortController();
  const patience = () => setTimeout(() => abort.abort(), context.timeoutMs);
  const { method = "GET", headers = {}, authorization, body, insecure } = request;
  const credentials = authorization === undefined || url.origin !== request.url.origin ? {} : { authorization };
  const failure = (error: unknown) =>
    abort.signal.aborted ? silence(url.host, context.timeoutMs) : connectionFailure(error, url.host);
  const tls = url.protocol === "https:" ? { tls: trust(request.ca, insecure, context) } : {};
  const timer = patience();
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers: { "user-agent": "rauha", "accept-encoding": "identity", ...headers, ...credentials },
      ...(body === undefined ? {} : { body }),
      redirect: "manual",
      signal: abort.signal,
      // Blobs are stored as they come, whatever encoding a header claims.
      decompress: false,
      // `false` keeps fetch from reading the variables itself: its rules for NO_PROXY are not ours.
      proxy: proxyFor(url, context.env) ?? (false as unknown as string),
      ...tls,
    } as BunFetchRequestInit);
  } catch (error) {
    throw failure(error);
  } finally {
    clearTimeout(timer);
  }
  async function* pieces(): AsyncGenerator<Uint8Array> {
    const reader = response.body?.getReader();
    if (reader === undefined) return;
    const watch = new PaceWatch(context.pace);
    let whole = false;
    try {
      for (;;) {
        const waiting = patience();
        const from = performance.now();
        const { done, value } = await reader.read().finally(() => clearTimeout(waiting));
        if (done) break;
        const slow = watch.add(value.length, performance.now() - from);
        if (slow !== undefined) throw new SlowTransfer(url.host, slow.bytes, slow.ms);
        yield value as Uint8Array;
      }
      // The connection can serve another request.
      whole = true;
    } catch (error) {
      throw error instanceof SlowTransfer ? error : failure(error);
    } finally {
      if (!whole) abort.abort();
    }
  }
  return {
    status: response.status,
    headers: response.headers,
    host: url.host,
    pieces,
    whole: (limit) => gather(pieces(), limit, url.host),
    drop: () => {
      if (response.body !== null) abort.abort();
    },
  };
}

function trust(
  ca: string | undefined,
  insecure: boolean,
  { env }: HttpContext,
): { ca?: string[]; rejectUnauthorized?: boolean } {
  if (insecure) return { rejectUnauthorized: false };
  const certificates = trustedCertificates(ca, env);
  return certificates === undefined ? {} : { ca: certificates };
}

async function gather(pieces: AsyncGenerator<Uint8Array>, limit: number, host: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > limit) throw protocolFailure(host, `an answer of more than ${limit} bytes`);
    parts.push(piece);
  }
  return Buffer.concat(parts);
}
