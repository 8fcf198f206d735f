/** Requests of the OCI distribution specification to one endpoint: manifests and blobs, with whatever authentication it asks for. */
import type { HostIo } from "../../run/backend.ts";
import { authorize } from "./authorize.ts";
import { parseChallenges } from "./challenge.ts";
import type { Credentials } from "./credential.ts";
import { findCredentials } from "./credentials.ts";
import type { Endpoint } from "./endpoint.ts";
import { answerFailure, explanationOf, RegistryFailure } from "./failure.ts";
import { type HttpAnswer, type HttpContext, send } from "./transport.ts";

/** What a client needs of the outside. */
export interface ClientContext extends HttpContext {
  readonly io: Pick<HostIo, "readText">;
}

/** A request to a registry about one repository. */
export interface RegistryRequest {
  /** After `/v2/REPOSITORY/`. */
  readonly path: string;
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the answers, those that are no failure. */
  readonly accepts: readonly number[];
  /** What is asked for, as the user knows it. */
  readonly what: string;
}

/** One endpoint for one repository. Tries nothing twice, except once with credentials: retrying is the caller's. */
export class RegistryClient {
  readonly endpoint: Endpoint;
  readonly #context: ClientContext;
  #base: Promise<URL> | undefined;
  #authorization: string | undefined;
  /** Several requests that are told to authenticate at the same time do it once. */
  #authorizing: Promise<string | undefined> | undefined;
  #credentials: Credentials | undefined;

  constructor(endpoint: Endpoint, context: ClientContext) {
    this.endpoint = endpoint;
    this.#context = context;
  }

  /** Sends a request; throws a RegistryFailure for every status that it doesn't accept. The body is the caller's to read or drop. */
  async request(request: RegistryRequest): Promise<HttpAnswer> {
    const base = await this.#findBase();
    const used = this.#authorization;
    const first = await this.#send(base, request, used);
    if (first.status !== 401) return this.#judge(first, request);
    const challenges = parseChallenges(first.headers.get("www-authenticate"));
    // Another request may have got a new token meanwhile.
    if (this.#authorization === used) {
      this.#authorizing ??= this.#authorize(base, request.what, challenges).finally(() => {
        this.#authorizing = undefined;
      });
      this.#authorization = await this.#authorizing;
    }
    if (this.#authorization === undefined) return this.#judge(first, request);
    first.drop();
    return this.#judge(await this.#send(base, request, this.#authorization), request);
  }

  #send(base: URL, { path, method = "GET", headers = {} }: RegistryRequest, authorization: string | undefined) {
    const { insecure, ca, repository } = this.endpoint;
    const url = new URL(`/v2/${repository}/${path}`, base);
    return send({ url, method, headers, authorization, insecure, ca }, this.#context);
  }

  async #authorize(registry: URL, what: string, challenges: ReturnType<typeof parseChallenges>) {
    const { registry: name, repository, insecure, ca } = this.endpoint;
    const credentials = await findCredentials(this.#context, name, repository);
    this.#credentials = credentials;
    return authorize(challenges, { registry, repository, what, insecure, ca, credentials }, this.#context);
  }

  async #judge(answer: HttpAnswer, { accepts, what, method }: RegistryRequest): Promise<HttpAnswer> {
    if (accepts.includes(answer.status)) return answer;
    const asked = { host: answer.host, what, credentials: this.#credentials?.from };
    const said = method === "HEAD" ? "" : explanationOf(await explanation(answer));
    answer.drop();
    throw answerFailure(answer.status, answer.headers, said, asked);
  }

  /** https, except where plain HTTP is allowed and is what the other side speaks. */
  #findBase(): Promise<URL> {
    const { host, insecure } = this.endpoint;
    const secure = new URL(`https://${host}/`);
    if (!insecure) return Promise.resolve(secure);
    this.#base ??= this.#probe(secure).catch((error) => {
      this.#base = undefined;
      throw error;
    });
    return this.#base;
  }

  async #probe(secure: URL): Promise<URL> {
    const { host, ca } = this.endpoint;
    try {
      const answer = await send({ url: new URL("/v2/", secure), insecure: true, ca }, this.#context);
      answer.drop();
      return secure;
    } catch (error) {
      // No TLS there, no name without a proxy, nobody on that port: plain HTTP may be another matter, and says so if it isn't.
      if (error instanceof RegistryFailure) return new URL(`http://${host}/`);
      throw error;
    }
  }
}

async function explanation(answer: HttpAnswer): Promise<string> {
  try {
    return new TextDecoder().decode(await answer.whole(1 << 16));
  } catch {
    // What it wanted to say is lost; its status is not.
    return "";
  }
}
