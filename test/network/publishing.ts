/** Zones with a published port, and who comes there from the host. */
import { connect, createServer } from "node:net";
import { patient } from "../support/identity.ts";
import { parseResult, start } from "../support/rauha.ts";

/** A port of the host's loopback that nobody has now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const filtered = ["--network", "filtered"];

/** A zone with port 7000 published. `script` says "up" on stderr when it listens; the zone ends when it does, or is ended. */
export async function publishing(script: string, more: readonly string[] = []) {
  const port = await freePort();
  const program = `import os, socket, sys, threading, time\n${script}`;
  const flags = [...filtered, "--publish", `${port}:7000`, ...more];
  const child = start(["sandbox", ...flags, "--", "python3", "-c", program]);
  // The gateway listens at once: who is reset comes again.
  for (const end = performance.now() + patient(20_000); performance.now() < end; await Bun.sleep(20)) {
    const tried = await converse(port, "ping");
    if (tried.error === undefined) break;
  }
  const ended = async () => {
    const [text, words] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    await child.exited;
    return parseResult(text, words);
  };
  return {
    port,
    child,
    ended,
    /** Ends the zone. */
    end: () => {
      child.kill("SIGTERM");
      return ended();
    },
  };
}

export interface Conversation {
  readonly text: string;
  readonly error?: string;
}

/** Connects, says something and the end of it, and hears all of the answer. */
export function converse(port: number, say: string | Buffer, host = "127.0.0.1"): Promise<Conversation> {
  return new Promise((resolve) => {
    const heard: Uint8Array[] = [];
    const done = (error?: string) =>
      resolve({ text: Buffer.concat(heard).toString(), ...(error === undefined ? {} : { error }) });
    const socket = connect({ port, host, allowHalfOpen: true }, () =>
      socket.end(typeof say === "string" ? Buffer.from(say) : say),
    );
    socket.on("data", (data) => heard.push(Buffer.from(data)));
    socket.on("end", () => done());
    socket.on("error", (error: NodeJS.ErrnoException) => done(error.code));
  });
}

/** Every connection in a thread of its own: `each(c)` answers and need not close. */
export const serve = (each: string) => `
${each}
def one(c):
  try: each(c)
  except OSError: pass
  c.close()
s = socket.create_server(("127.0.0.1", 7000), backlog=1024)
while True:
  c, _ = s.accept()
  threading.Thread(target=one, args=(c,), daemon=True).start()`;

/** Reads to the end, then answers with how much it was and with the beginning of it. */
export const counting = serve(`
def each(c):
  n, first = 0, b""
  while True:
    b = c.recv(65536)
    if not b: break
    first = first or b[:10]
    n += len(b)
  c.sendall(b"%d %s" % (n, first))`);
