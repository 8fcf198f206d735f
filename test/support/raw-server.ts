/** An HTTP server that can misbehave: it writes bytes to its connections, not answers that some library puts right. */
import type { Socket } from "bun";

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a connection gets. */
export interface RawAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array | string;
  /** Of the body, only so many bytes; the header still promises all. */
  readonly bytes?: number;
  /** Then: hang up (default), or say nothing more. */
  readonly after?: "hang-up" | "stall";
  /** Milliseconds between the last byte and hanging up. */
  readonly hangUpMs?: number;
  /** Milliseconds before the answer. */
  readonly delayMs?: number;
  /** Sends the body so many bytes at a time, with pauses between. */
  readonly drip?: { readonly bytes: number; readonly everyMs: number };
}

export interface RawServer {
  readonly host: string;
  readonly requests: RawRequest[];
  stop(): void;
}

interface Connection {
  text: string;
  rest: Uint8Array;
  end: boolean;
  hangUpMs: number;
}

/** Starts one on a free port of the loopback. */
export function startRawServer(answer: (request: RawRequest) => RawAnswer | Promise<RawAnswer>): RawServer {
  const requests: RawRequest[] = [];
  const pump = (socket: Socket<Connection>) => {
    const { data } = socket;
    while (data.rest.length > 0) {
      const count = socket.write(data.rest);
      if (count <= 0) return;
      data.rest = data.rest.subarray(count);
    }
    if (data.end) setTimeout(() => socket.end(), data.hangUpMs);
  };
  const server = Bun.listen<Connection>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => {
        socket.data = { text: "", rest: new Uint8Array(), end: false, hangUpMs: 0 };
      },
      data: async (socket, bytes) => {
        socket.data.text += bytes.toString("latin1");
        // Whoever begins with TLS is told at once, as by any web server, that this is not its language.
        if (socket.data.text.startsWith("\x16")) {
          socket.end("HTTP/1.0 400 Bad Request\r\n\r\n");
          return;
        }
        const request = parseRequest(socket.data.text);
        if (request === undefined) return;
        socket.data.text = "";
        requests.push(request);
        const given = await answer(request);
        if (given.delayMs !== undefined) await Bun.sleep(given.delayMs);
        socket.data.hangUpMs = given.hangUpMs ?? 0;
        const rendered = render(given, request.method === "HEAD");
        if (given.drip !== undefined) {
          await drip(socket, rendered, given.drip);
          return;
        }
        socket.data.end = given.after !== "stall";
        socket.data.rest = rendered;
        pump(socket);
      },
      drain: pump,
      error: () => {},
    },
  });
  return { host: `127.0.0.1:${server.port}`, requests, stop: () => server.stop(true) };
}

/** The head at once, then the body drop by drop, as long as somebody is there. */
async function drip(
  socket: Socket<Connection>,
  answer: Uint8Array,
  { bytes, everyMs }: { bytes: number; everyMs: number },
) {
  let at = Buffer.from(answer).indexOf("\r\n\r\n") + 4;
  socket.write(answer.subarray(0, at));
  for (; at < answer.length && socket.readyState > 0; at += bytes) {
    await Bun.sleep(everyMs);
    socket.write(answer.subarray(at, at + bytes));
    socket.flush();
  }
  socket.end();
}

function parseRequest(text: string): RawRequest | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const [method = "", path = ""] = first.split(" ");
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const body = text.slice(end + 4);
  return body.length < Number(headers["content-length"] ?? 0) ? undefined : { method, path, headers, body };
}

function render({ status = 200, headers = {}, body = "", bytes }: RawAnswer, headOnly: boolean): Uint8Array {
  const whole = typeof body === "string" ? Buffer.from(body) : body;
  const all = { "content-length": whole.length, connection: "close", ...headers };
  const head = `HTTP/1.1 ${status} X\r\n${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")}\r\n`;
  return headOnly ? Buffer.from(head) : Buffer.concat([Buffer.from(head), whole.subarray(0, bytes ?? whole.length)]);
}
