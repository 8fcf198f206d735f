import { looksLikeTls, readClientHello } from "./client-hello.ts";
import { looksLikeHttp, readHttpHead } from "./http-head.ts";

/** What a client's first bytes say of where it wants to go. */
export type Spoken =
  /** Not enough to tell. */
  | { readonly kind: "more" }
  /** TLS or HTTP that is malformed, or hides where it goes. */
  | { readonly kind: "wrong"; readonly why: string }
  /** A host by its name: the TLS server name, or HTTP's Host. */
  | { readonly kind: "named"; readonly by: "SNI" | "Host"; readonly name: string }
  /** TLS or HTTP that names no host: none at all, or an address. */
  | { readonly kind: "unnamed"; readonly what: string }
  /** Neither TLS nor HTTP. */
  | { readonly kind: "other" };

/** Bytes that are read before a decision; a client that needs more to name its host is refused. */
export const firstBytesMax = 16_384;

/** What a program says first on a connection: TLS with a server name, HTTP with a host, something else, or too little to tell yet. Bounded. */
export function readFirstBytes(bytes: Uint8Array): Spoken {
  if (bytes.length === 0) return { kind: "more" };
  if (looksLikeTls(bytes)) return bounded(readTls(bytes), bytes.length);
  if (looksLikeHttp(bytes)) return bounded(readHttp(bytes), bytes.length);
  return { kind: "other" };
}

function bounded(spoken: Spoken, length: number): Spoken {
  if (spoken.kind !== "more" || length < firstBytesMax) return spoken;
  return { kind: "wrong", why: `the client has not named its host within ${firstBytesMax} bytes` };
}

function readTls(bytes: Uint8Array): Spoken {
  const hello = readClientHello(bytes);
  if (hello.state === "more") return { kind: "more" };
  if (hello.state === "wrong") return { kind: "wrong", why: hello.why };
  if (hello.encrypted)
    return { kind: "wrong", why: "the ClientHello is encrypted (ECH): the server's name can't be read" };
  if (hello.name === undefined) return { kind: "unnamed", what: "TLS without a server name" };
  return { kind: "named", by: "SNI", name: hello.name };
}

function readHttp(bytes: Uint8Array): Spoken {
  const head = readHttpHead(bytes);
  if (head.state === "more") return { kind: "more" };
  if (head.state === "wrong") return { kind: "wrong", why: head.why };
  if (head.isAddress) return { kind: "unnamed", what: "HTTP with an address as its Host" };
  return { kind: "named", by: "Host", name: head.host };
}
