import type { Address } from "../policy/address.ts";
import type { PublishedPort } from "./publish.ts";

/** What an invocation writes down about its zone's network: what others need to know of a living one, and to undo a dead one. */
export interface ZoneRecord {
  readonly zoneId: string;
  readonly name: string;
  readonly allowedZones: readonly string[];
  readonly resolvers: readonly Address[];
  readonly publish: readonly PublishedPort[];
}

const version = 1;

/** The record as the bytes of its file, one line of JSON. */
export function encodeRecord(record: ZoneRecord): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ version, ...record })}\n`);
}

/** The record, or undefined if the bytes are none: not written to the end, or of another version of Rauha. */
export function decodeRecord(bytes: Uint8Array): ZoneRecord | undefined {
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof data !== "object" || data === null) return undefined;
  const { version: of, zoneId, name, allowedZones, resolvers, publish } = data as Record<string, unknown>;
  if (of !== version || typeof zoneId !== "string" || typeof name !== "string") return undefined;
  if (!isListOf(allowedZones, (item) => typeof item === "string")) return undefined;
  if (!isListOf(resolvers, isAddress)) return undefined;
  if (!isListOf(publish, isPublished)) return undefined;
  return {
    zoneId,
    name,
    allowedZones: allowedZones as string[],
    resolvers: resolvers as Address[],
    publish: publish as PublishedPort[],
  };
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

function isAddress(value: unknown): boolean {
  return (
    isListOf(value, (byte) => Number.isInteger(byte) && Number(byte) >= 0 && Number(byte) <= 255) &&
    (value as unknown[]).length === 4
  );
}

function isPublished(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { address, port, zonePort } = value as Record<string, unknown>;
  return (
    isAddress(address) &&
    [port, zonePort].every((one) => Number.isInteger(one) && Number(one) > 0 && Number(one) < 65536)
  );
}
