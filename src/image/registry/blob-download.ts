/** The bytes of one blob from one endpoint, with as many requests as it takes: each begins where the last one broke off. */
import { ImageError } from "../image-error.ts";
import type { Descriptor } from "../manifest.ts";
import type { BlobFile } from "../store/blob-file.ts";
import type { RegistryClient } from "./client.ts";
import { protocolFailure, SlowTransfer } from "./failure.ts";
import { type Patience, pauseOrThrow } from "./retry.ts";

/** Of a client, what a download needs. */
export type BlobClient = Pick<RegistryClient, "request">;

/** A server that breaks off again and again gets so many requests, however much comes each time. */
const mostRequests = 100;

/**
 * Fetches what is missing, verifies all of it, and commits it. Bytes with another digest than asked for are fetched once more from
 * the start (what an earlier try left may have been bad), then refused.
 */
export async function downloadBlob(
  client: BlobClient,
  blob: Descriptor & { readonly what: string },
  file: BlobFile,
  patience: Patience,
  onBytes: (length: number) => void,
): Promise<void> {
  let mismatches = 0;
  let tried = 0;
  for (let requests = 1; ; requests++) {
    const before = file.length;
    try {
      if (file.length < blob.size || blob.size === 0) await fetchRest(client, blob, file, onBytes);
      file.commit();
      return;
    } catch (error) {
      if (error instanceof ImageError && error.diagnostic.code === "digest_mismatch" && mismatches++ === 0) {
        patience.onRetry(blob.what, error.message, 0);
        continue;
      }
      // What brought us further is no failure in a row; what only dripped didn't.
      tried = file.length > before && !(error instanceof SlowTransfer) ? 1 : tried + 1;
      if (requests >= mostRequests) throw error;
      await pauseOrThrow(error, blob.what, tried, patience);
    }
  }
}

async function fetchRest(
  client: BlobClient,
  { digest, size, what }: Descriptor & { readonly what: string },
  file: BlobFile,
  onBytes: (length: number) => void,
): Promise<void> {
  const from = file.length;
  const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
  const accepts = from > 0 ? [200, 206, 416] : [200];
  const answer = await client.request({ path: `blobs/${digest}`, headers, accepts, what });
  if (answer.status === 206 && !startsAt(answer.headers.get("content-range"), from)) {
    answer.drop();
    file.restart();
    throw protocolFailure(answer.host, "sent another part of a layer than was asked for", true);
  }
  if (answer.status === 416) {
    answer.drop();
    file.restart();
    throw protocolFailure(answer.host, "has less of a layer than came before", true);
  }
  // A server that knows no ranges sends all of it.
  if (answer.status === 200 && from > 0) file.restart();
  for await (const piece of answer.pieces()) {
    file.write(piece);
    onBytes(file.length);
  }
  if (file.length < size) throw protocolFailure(answer.host, `sent ${file.length} of ${size} bytes of a layer`, true);
}

function startsAt(range: string | null, from: number): boolean {
  return /^bytes\s+([0-9]+)-/i.exec(range ?? "")?.[1] === String(from);
}
