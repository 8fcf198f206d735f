/** The inside of own-network.ts: reads steps as JSON on stdin, does them in the namespace it runs in, writes what came of each. */
import { NetlinkError, NetlinkSocket } from "../../src/linux/network/netlink-socket.ts";
import { netlinkFamily } from "../../src/run/netlink/message.ts";

interface Packed {
  readonly run?: readonly string[];
  readonly family: "route" | "netfilter";
  readonly messages: readonly { readonly type: number; readonly flags: number; readonly body: string }[];
}

function carryOut(step: Packed) {
  if (step.run !== undefined) {
    const { exitCode, stdout, stderr } = Bun.spawnSync([...step.run], { stdin: "ignore" });
    return { errno: exitCode, index: -1, text: stderr.toString(), output: stdout.toString() };
  }
  using socket = new NetlinkSocket(netlinkFamily[step.family]);
  try {
    socket.send(step.messages.map((one) => ({ ...one, body: new Uint8Array(Buffer.from(one.body, "hex")) })));
    return { errno: 0, index: -1, text: "", output: "" };
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    return { errno: error.errno, index: error.index, text: error.message, output: "" };
  }
}

const steps = JSON.parse(await Bun.stdin.text()) as readonly Packed[];
console.log(JSON.stringify(steps.map(carryOut)));
