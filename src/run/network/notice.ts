import { formatAddress } from "../policy/address.ts";
import { denied, type EgressAttempt } from "./attempt.ts";

/**
 * What the zone's packet filter says of packets that it refused: messages of the kernel's log group (linux/netfilter/nfnetlink_log.h),
 * each with the packet's beginning.
 */

const nflogPacket = (4 << 8) | 0;
const payloadAttribute = 9;
const headerBytes = 20;

/** The attempts in one datagram of the log socket. Whatever is no such message is passed over. */
export function readNotices(bytes: Uint8Array): EgressAttempt[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: EgressAttempt[] = [];
  for (let at = 0; at + headerBytes <= bytes.length; ) {
    const length = view.getUint32(at, true);
    if (length < headerBytes || at + length > bytes.length) break;
    if (view.getUint16(at + 4, true) === nflogPacket) {
      const payload = attribute(bytes.subarray(at + headerBytes, at + length), payloadAttribute);
      const attempt = payload === undefined ? undefined : readPacket(payload);
      if (attempt !== undefined) found.push(attempt);
    }
    at += (length + 3) & ~3;
  }
  return found;
}

function attribute(bytes: Uint8Array, wanted: number): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length) return undefined;
    if ((view.getUint16(at + 2, true) & 0x3fff) === wanted) return bytes.subarray(at + 4, at + length);
    at += (length + 3) & ~3;
  }
  return undefined;
}

const protocols: Readonly<Record<number, EgressAttempt["protocol"]>> = { 1: "icmp", 6: "tcp", 17: "udp", 58: "icmp" };

/** The attempt that a packet was; IPv6 extension headers are not looked behind. */
function readPacket(packet: Uint8Array): EgressAttempt | undefined {
  const version = (packet[0] ?? 0) >> 4;
  if (version !== 4 && version !== 6) return undefined;
  const number = packet[version === 4 ? 9 : 6] ?? 0;
  const protocol = protocols[number] ?? "other";
  const address = version === 4 ? packet.subarray(16, 20) : packet.subarray(24, 40);
  const start = version === 4 ? 4 * ((packet[0] ?? 0) & 0xf) : 40;
  const hasPort = protocol === "udp" || protocol === "tcp";
  const port =
    hasPort && packet.length >= start + 4 ? ((packet[start + 2] ?? 0) << 8) | (packet[start + 3] ?? 0) : null;
  const words = protocol === "other" ? `IP protocol ${number}` : protocol.toUpperCase();
  const what = { protocol, name: null, address: formatAddress([...address]), port };
  return denied(what, `network mode filtered lets TCP and DNS out, not ${words}`, "network.mode");
}
