/** An image where it is to be had: its manifests and blobs, from the first of its endpoints that gives them. */
import { digestOf, isDigest, parseDigest, shortDigest } from "../digest.ts";
import { ImageError, refuse } from "../image-error.ts";
import { maxDocumentBytes } from "../json-field.ts";
import type { Descriptor } from "../manifest.ts";
import { acceptedManifests, bareType } from "../media-types.ts";
import type { Reference } from "../reference.ts";
import type { BlobFile } from "../store/blob-file.ts";
import { downloadBlob } from "./blob-download.ts";
import { type ClientContext, RegistryClient } from "./client.ts";
import { endpointsOf } from "./endpoint.ts";
import { RegistryFailure } from "./failure.ts";
import type { RegistryConfig } from "./registry-config.ts";
import { type OnRetry, type Patience, withRetries } from "./retry.ts";

/** A manifest as it was sent, verified. */
export interface RemoteManifest {
  readonly bytes: Uint8Array;
  readonly digest: string;
  readonly mediaType: string;
}

/** A mirror that doesn't answer is not waited for as long as the registry itself. */
const mirrorRetries = 1;

/** An image at its registry, or at a mirror of it: the first that answers is asked from then on. Throws a RegistryFailure. */
export class RemoteImage {
  readonly #reference: Reference;
  readonly #retries: number;
  readonly #onRetry: OnRetry;
  #clients: readonly RegistryClient[];

  constructor(reference: Reference, config: RegistryConfig, context: ClientContext, onRetry: OnRetry) {
    this.#reference = reference;
    this.#retries = config.retries;
    this.#onRetry = onRetry;
    this.#clients = endpointsOf(reference, config).map((endpoint) => new RegistryClient(endpoint, context));
  }

  /** The digest that the name has now, which costs no pull; undefined when the registry doesn't say, or knows no HEAD. */
  async currentDigest(): Promise<string | undefined> {
    try {
      const answer = await this.#anywhere("the manifest", (client) =>
        client.request({ ...this.#manifestRequest(this.#name), method: "HEAD", accepts: [200] }),
      );
      answer.drop();
      const digest = answer.headers.get("docker-content-digest") ?? "";
      return isDigest(digest) ? digest : undefined;
    } catch (error) {
      const lasting = error instanceof RegistryFailure && !error.passing;
      if (lasting && /^(not_found|registry_error)$/.test(error.diagnostic.code)) return undefined;
      throw error;
    }
  }

  /** The manifest or index that the name stands for. */
  topManifest(): Promise<RemoteManifest> {
    return this.#manifest(this.#name, this.#reference.digest, undefined);
  }

  /** A manifest of an index. */
  manifest(descriptor: Descriptor): Promise<RemoteManifest> {
    return this.#manifest(descriptor.digest, descriptor.digest, descriptor.size);
  }

  /** Fetches what is missing of a blob, and commits it. `onBytes` is told the length after every piece. */
  async blob(blob: Descriptor, file: BlobFile, onBytes: (length: number) => void): Promise<void> {
    const what = `layer ${shortDigest(blob.digest)} of ${this.#reference.text}`;
    await this.#anywhereOnce((client, patience) => downloadBlob(client, { ...blob, what }, file, patience, onBytes));
  }

  get #name(): string {
    return this.#reference.digest ?? this.#reference.tag ?? "latest";
  }

  #manifestRequest(name: string) {
    return { path: `manifests/${name}`, headers: { accept: acceptedManifests.join(", ") }, what: this.#reference.text };
  }

  #manifest(name: string, digest: string | undefined, size: number | undefined): Promise<RemoteManifest> {
    return this.#anywhere("the manifest", async (client) => {
      const answer = await client.request({ ...this.#manifestRequest(name), accepts: [200] });
      const bytes = await answer.whole(maxDocumentBytes);
      const said = digest ?? answer.headers.get("docker-content-digest") ?? undefined;
      const found = digestOf(bytes, said === undefined ? undefined : parseDigest(said)?.algorithm);
      if (said !== undefined && isDigest(said) && found !== said) {
        const message = `${answer.host} sent a manifest with the digest ${found}, and it should be ${said}`;
        refuse("digest_mismatch", message, "something between you and the registry changes what it sends");
      }
      if (size !== undefined && bytes.length !== size) {
        refuse("digest_mismatch", `manifest ${name} has ${bytes.length} bytes, and its index says ${size}`);
      }
      return { bytes, digest: found, mediaType: bareType(answer.headers.get("content-type")) };
    });
  }

  #anywhere<T>(what: string, work: (client: RegistryClient) => Promise<T>): Promise<T> {
    const named = `${what} of ${this.#reference.text}`;
    return this.#anywhereOnce((client, patience) => withRetries(named, patience, () => work(client)));
  }

  /** Asks one endpoint after the other. One that can't be reached is not asked again. */
  async #anywhereOnce<T>(work: (client: RegistryClient, patience: Patience) => Promise<T>): Promise<T> {
    for (const client of this.#clients) {
      const { isMirror, host } = client.endpoint;
      const retries = isMirror ? Math.min(mirrorRetries, this.#retries) : this.#retries;
      try {
        return await work(client, { retries, onRetry: this.#onRetry });
      } catch (error) {
        if (!isMirror || !(error instanceof ImageError)) throw error;
        this.#onRetry(`the mirror ${host}`, error.message, 0);
        const { code } = error.diagnostic;
        if (code === "unreachable" || code === "tls_failed") {
          this.#clients = this.#clients.filter((other) => other !== client);
        }
      }
    }
    throw new Error("an image has no endpoint");
  }
}
