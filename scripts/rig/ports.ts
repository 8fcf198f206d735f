/**
 * The host's ends of the guest's virtio ports: one Unix socket each, which QEMU connects to. Bytes are handed on as they come, so
 * that a run is watched live and nothing is lost when the guest dies.
 */
import { join } from "node:path";
import type { Socket } from "bun";

export interface Port {
  readonly path: string;
  /** Sends to the guest. */
  send(data: Uint8Array): void;
  close(): void;
}

export function openPort(folder: string, name: string, onData: (data: Uint8Array) => void): Port {
  const path = join(folder, name);
  let peer: Socket | null = null;
  let waiting: Uint8Array = new Uint8Array();
  const flush = (): void => {
    if (peer === null || waiting.length === 0) return;
    waiting = waiting.subarray(peer.write(waiting));
  };
  const server = Bun.listen({
    unix: path,
    socket: {
      open(socket) {
        peer = socket;
        flush();
      },
      // The buffer is the runtime's and is used again.
      data: (_socket, data) => onData(new Uint8Array(data)),
      drain: flush,
      close() {
        peer = null;
      },
    },
  });
  return {
    path,
    send(data) {
      waiting = new Uint8Array(Buffer.concat([waiting, data]));
      flush();
    },
    close: () => server.stop(true),
  };
}

/** Splits a stream of bytes into lines. */
export function lineReader(onLine: (line: string) => void): (data: Uint8Array) => void {
  const decoder = new TextDecoder();
  let rest = "";
  return (data) => {
    const lines = (rest + decoder.decode(data, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  };
}
