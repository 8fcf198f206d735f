import { attribute, joinBytes, u32Network } from "./attributes.ts";
import { messageFlag, type NetlinkMessage } from "./message.ts";

/** The kernel's log of packets, by number of its group: linux/netfilter/nfnetlink_log.h. The socket that sends this receives it. */

const subsystem = 4;
const configure = 1;
const bind = 1;
const copyPacket = 2;

/** Makes the sending socket the listener of a group: each packet at once, its first `bytes`. EBUSY if the group has a listener. */
export function listenToLog(group: number, bytes: number): NetlinkMessage {
  const mode = new Uint8Array(6);
  new DataView(mode.buffer).setUint32(0, bytes);
  mode[4] = copyPacket;
  const oneByOne = 5;
  return {
    type: (subsystem << 8) | configure,
    flags: messageFlag.acknowledge,
    body: joinBytes([
      new Uint8Array([0, 0, group >> 8, group & 0xff]),
      attribute(1, new Uint8Array([bind])),
      attribute(2, mode),
      u32Network(oneByOne, 1),
    ]),
  };
}
