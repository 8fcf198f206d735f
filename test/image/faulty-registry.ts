/** Registries that fail or lie as a test says, and pulls that must come to the image or to nothing. */
import { afterEach, expect } from "bun:test";
import { type DoubleImage, doubleImage, type Fault, startDouble } from "../support/double-registry.ts";
import { type RawServer, startRawServer } from "../support/raw-server.ts";
import { codeOf, expectConsistent, imageCaller, leftovers } from "./store.ts";

const servers: { stop(): void }[] = [];
/** Each file of tests says this once. */
export function stopRegistries(): void {
  afterEach(() => {
    for (const server of servers.splice(0)) server.stop();
  });
}

export function double(fault?: Fault, image: DoubleImage = doubleImage()) {
  const server = startDouble(image, fault);
  servers.push(server);
  return server;
}

export function raw(answer: Parameters<typeof startRawServer>[0]): RawServer {
  const server = startRawServer(answer);
  servers.push(server);
  return server;
}

export const isLayer = (path: string, { layer }: DoubleImage) => path.endsWith(layer);
export const layerBytes = (image: DoubleImage) => image.blobs.get(image.layer) ?? new Uint8Array();
export const quick = 'timeout = "1s"\nretries = 3\n';

/** Pulls, and expects the image to be there, whole. */
export async function expectPulled(server: ReturnType<typeof double>, toml = quick) {
  const caller = imageCaller({ toml });
  const { ended, events } = await caller.lines("pull", server.reference);
  expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
  expect(events.at(-1)).toMatchObject({ event: "done", digest: server.image.digest });
  expect(expectConsistent(caller.root).references).toEqual([server.reference]);
  expect(leftovers(caller.root)).toEqual([]);
  return events;
}

/** Pulls, and expects it to be refused with a code and no image, not even part of its name, in the store. */
export async function expectRefused(
  server: { readonly reference: string },
  code: string,
  toml = quick,
  home: Record<string, string> = {},
) {
  const caller = imageCaller({ toml, home });
  const { ended, events } = await caller.lines("pull", server.reference);
  expect([codeOf(events), ended.exitCode]).toEqual([code, 125]);
  expect(events.at(-1)).toMatchObject({ event: "failed" });
  expect(ended.stderr).toContain("rauha: ");
  expect(expectConsistent(caller.root).references).toEqual([]);
  return { caller, events, stderr: ended.stderr };
}
