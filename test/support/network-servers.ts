/** Servers of network-world.ts: `PORT...`. TCP answers with the caller's address and a line; UDP says what came and sends it back. */
const said = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

for (const port of process.argv.slice(2).map(Number)) {
  Bun.listen({
    hostname: "0.0.0.0",
    port,
    socket: {
      open(socket) {
        said(`tcp ${port} from ${socket.remoteAddress}`);
        socket.end(`you are ${socket.remoteAddress}\n`);
      },
      data: () => undefined,
      error: () => undefined,
    },
  });
  await Bun.udpSocket({
    hostname: "0.0.0.0",
    port,
    socket: {
      data(socket, bytes, fromPort, from) {
        said(`udp ${port} from ${from}: ${bytes.toString()}`);
        socket.send(bytes, fromPort, from);
      },
      // An answer that nobody waits for any more comes back as an error.
      error: () => undefined,
    },
  });
}
said("ready");
