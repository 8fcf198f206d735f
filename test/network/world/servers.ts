/** Servers of the world: each writes down who came. They listen at every address, so that a detour would find one. */
import { createSocket } from "node:dgram";
import { existsSync, readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { zone } from "./names.ts";

/** What reached a server: `http 203.0.113.10 Host=…`, `tcp 203.0.113.10:7`, `udp …`. */
export const seen: string[] = [];

function plain(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:/, "");
}

export async function serveAll(certificates: string): Promise<void> {
  await Promise.all([
    serveHttp(80),
    serveHttp(8080),
    serveHttps(certificates),
    serveTcp(7, (socket) => socket.pipe(socket)),
    serveTcp(22, (socket) => greet(socket)),
    serveTcp(9, (socket) => count(socket)),
    serveTcp(19, (socket) => generate(socket)),
    serveTcp(3128, (socket) => proxy(socket)),
    serveUdp(9999),
    serveUdp(443),
  ]);
}

async function serveHttp(port: number): Promise<void> {
  Bun.serve({
    port,
    hostname: "::",
    fetch: async (request, server) => {
      const host = request.headers.get("host");
      seen.push(`http ${plain(server.requestIP(request)?.address)}:${port} ${host}`);
      const { pathname } = new URL(request.url);
      if (request.method === "POST") return new Response(String((await request.arrayBuffer()).byteLength));
      return pathname.startsWith("/files/") ? serveFile(pathname) : new Response(`hello from ${host}\n`);
    },
  });
}

/** Files of `RAUHA_WORLD_FILES`, for clients that download; a folder is its `index.html`. */
function serveFile(pathname: string): Response {
  const path = `${process.env["RAUHA_WORLD_FILES"]}${decodeURIComponent(pathname.slice("/files".length))}`;
  const file = pathname.endsWith("/") ? `${path}index.html` : path;
  if (!existsSync(file)) return new Response("not found\n", { status: 404 });
  const type = file.endsWith(".html") ? "text/html" : "application/octet-stream";
  return new Response(new Uint8Array(readFileSync(file)), { headers: { "content-type": type } });
}

async function serveHttps(certificates: string): Promise<void> {
  const tls = { key: Bun.file(`${certificates}/key.pem`), cert: Bun.file(`${certificates}/cert.pem`) };
  Bun.serve({
    port: 443,
    hostname: "::",
    tls,
    fetch: (request) => {
      const host = request.headers.get("host");
      seen.push(`https ${host}`);
      const { pathname } = new URL(request.url);
      return pathname.startsWith("/files/") ? serveFile(pathname) : new Response(`hello from ${host}\n`);
    },
  });
}

function serveTcp(port: number, talk: (socket: Socket) => void): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    seen.push(`tcp ${plain(socket.localAddress)}:${port}`);
    socket.on("error", () => undefined);
    talk(socket);
  });
  return new Promise((resolve) => server.listen({ port, host: "::", backlog: 4096 }, resolve));
}

/** The server speaks first, then repeats. */
function greet(socket: Socket): void {
  socket.write("SSH-2.0-world\r\n");
  socket.pipe(socket);
}

/** An HTTP proxy: connects by name, with the world's resolver, and refuses four.good.example. */
function proxy(socket: Socket): void {
  socket.once("data", (data) => {
    const head = data.toString("latin1");
    const [, host = "", port = ""] = /^CONNECT ([^ ]+):(\d+) /.exec(head) ?? [];
    seen.push(`proxy ${host}:${port} ${/Proxy-Authorization: (.*)\r/.exec(head)?.[1] ?? "-"}`);
    if (host === "" || host.startsWith("four.")) {
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    const server = connect({ host: zone[host]?.[0] ?? host, port: Number(port), allowHalfOpen: true }, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(server);
      server.pipe(socket);
    });
    server.on("error", () => socket.destroy());
  });
}

/** Counts what comes, and says so at its end: needs a half-closed connection. */
function count(socket: Socket): void {
  let bytes = 0;
  socket.on("data", (data) => {
    bytes += data.length;
  });
  socket.on("end", () => socket.end(`${bytes}\n`));
}

/** As many bytes as the first line asks for. */
function generate(socket: Socket): void {
  socket.once("data", (line) => {
    const piece = Buffer.alloc(65_536, 120);
    let left = Number(line.toString());
    const more = (): void => {
      while (left > 0) {
        const size = Math.min(left, piece.length);
        left -= size;
        if (!socket.write(piece.subarray(0, size))) {
          socket.once("drain", more);
          return;
        }
      }
      socket.end();
    };
    more();
  });
}

function serveUdp(port: number): Promise<void> {
  const socket = createSocket({ type: "udp6" });
  socket.on("message", (message, from) => {
    seen.push(`udp ${plain(from.address)}:${port} ${message.toString("latin1").slice(0, 40)}`);
    socket.send(message, from.port, from.address);
  });
  return new Promise((resolve) => socket.bind(port, "::", () => resolve()));
}
