import gatewayText from "../../../build/gateway.b64.txt" with { type: "text" };
import type { BackendEvent } from "../../run/backend-event.ts";
import type { EgressPlan } from "../../run/network/egress-plan.ts";
import { encodeOrder, GatewayDecoder } from "../../run/network/gateway/codec.ts";
import { type GatewayOrder, gatewayLimits, gatewaySockets } from "../../run/network/gateway/contract.ts";
import { EgressSession } from "../../run/network/session.ts";
import { stages } from "../../run/plan/contract.ts";
import type { Plan } from "../../run/plan/plan.ts";
import {
  closeFd,
  createPipe,
  duplicateFd,
  flag,
  openFile,
  pollFds,
  readFd,
  spawnProcess,
  waitForChild,
  writeAll,
} from "../ffi.ts";
import { openImage } from "../launcher-image.ts";
import { readWholeFile } from "../small-file.ts";
import { createSocketPair, receiveDescriptors } from "./descriptors.ts";
import { NetworkFailure } from "./failure.ts";
import { listenPort } from "./listen-port.ts";
import { readResolvers } from "./resolvers.ts";

/** Bytes read from the gateway at once. */
const chunkBytes = 1 << 18;
/** How long what is on its way at the zone's end may take. */
const finishMs = 2000;
const lowestFd = 64;

/**
 * The gateway of a plan that has one. Where the host's side can't be had, a published port that another program has, that is told as the
 * zone's failure, and there is none: no zone is to be started.
 */
export function openGateway(plan: Plan, emit: (event: BackendEvent) => void): Gateway | undefined {
  if (plan.egress === undefined) return undefined;
  const listeners: number[] = [];
  try {
    for (const port of plan.egress.publish) listeners.push(listenPort(port));
    return new Gateway(plan.egress, listeners, emit);
  } catch (error) {
    for (const fd of listeners) closeFd(fd);
    if (!(error instanceof NetworkFailure)) throw error;
    const { errno, step, detail } = error;
    const op = plan.ops.findIndex((planned) => planned.op.op === "dial");
    emit({ at: Date.now(), record: "failed", stage: stages.indexOf("net"), op, errno, step, detail });
    return undefined;
  }
}

interface Process {
  readonly pid: number;
  readonly orders: number;
  readonly reports: number;
}

/**
 * The gateway of one zone: a native process that starts when the launcher has handed out the zone's sockets, and this side's decisions
 * about everything that it reports. Whatever fails here leaves the zone without a way out.
 */
export class Gateway {
  /** The launcher's control channel: a socket, since descriptors come back through it. */
  readonly channel: { readonly readEnd: number; readonly writeEnd: number };
  readonly #plan: EgressPlan;
  /** Of the host: published ports. They are the gateway's as soon as it has started, and closed here. */
  #listeners: readonly number[];
  readonly #emit: (event: BackendEvent) => void;
  readonly #session: EgressSession;
  readonly #decoder = new GatewayDecoder();
  readonly #buffer = new Uint8Array(chunkBytes);
  #orders: Uint8Array[] = [];
  #process: Process | undefined;
  #state: "waiting" | "running" | "over" = "waiting";

  constructor(plan: EgressPlan, listeners: readonly number[], emit: (event: BackendEvent) => void) {
    const channel = createSocketPair();
    if (typeof channel === "number") throw new Error(`no socket for the zone's control: errno ${-channel}`);
    this.channel = channel;
    this.#plan = plan;
    this.#listeners = listeners;
    this.#emit = emit;
    const file = readWholeFile("/etc/resolv.conf", 1 << 16);
    const servers = readResolvers(typeof file === "number" ? "" : new TextDecoder().decode(file));
    this.#session = new EgressSession(plan, servers, {
      send: (order: GatewayOrder) => this.#orders.push(encodeOrder(order)),
      report: (attempt) => emit({ at: Date.now(), record: "egress", attempt }),
      random: () => crypto.getRandomValues(new Uint16Array(1))[0] ?? 0,
    });
  }

  /** What to wait for besides the launcher's report. */
  waits(): { readonly fd: number; readonly events: number }[] {
    if (this.#state === "waiting") return [{ fd: this.channel.writeEnd, events: flag.POLLIN }];
    return this.#process === undefined ? [] : [{ fd: this.#process.reports, events: flag.POLLIN }];
  }

  /** Does what there is to do, without waiting. */
  turn(): void {
    if (this.#state === "waiting") this.#start();
    if (this.#process === undefined) return;
    const [ready = 0] = pollFds([{ fd: this.#process.reports, events: flag.POLLIN }], 0);
    if (ready !== 0) this.#read(this.#process);
    this.#session.tick(performance.now());
    this.#send();
  }

  /** The zone has ended: what is on its way arrives, the gateway ends, and everything of it is gone. */
  finish(): void {
    this.turn();
    if (this.#process !== undefined) {
      this.#orders.push(encodeOrder({ record: "finish" }));
      this.#send();
    }
    const end = performance.now() + finishMs;
    while (this.#process !== undefined && performance.now() < end) {
      pollFds(this.waits(), 20);
      this.turn();
    }
    this.#close();
    if (this.#session.dropped > 0)
      this.#emit({ at: Date.now(), record: "egress_dropped", count: this.#session.dropped });
  }

  #start(): void {
    const sockets = receiveDescriptors(this.channel.writeEnd, gatewaySockets.length + gatewayLimits.dialers);
    if (typeof sockets !== "number" && sockets.length === 0) return;
    this.#state = "over";
    // No message, and none to come: the launcher has ended or failed, and says why itself.
    if (typeof sockets === "number") return;
    const started = this.#spawn(sockets);
    for (const fd of sockets) closeFd(fd);
    this.#leavePorts();
    if (typeof started === "string") this.#lose(started);
    else {
      this.#process = started;
      this.#state = "running";
    }
  }

  /** The gateway as a child process. Its descriptors are those of `gatewayFd`; a socket that the zone has not is /dev/null. */
  #spawn(sockets: readonly number[]): Process | string {
    const image = openImage("rauha-gateway", gatewayText);
    if (typeof image === "string") return image;
    const opened: number[] = [image.fd];
    const give = (fd: number): number => {
      const high = fd < 0 ? fd : duplicateFd(fd, lowestFd + sockets.length + this.#listeners.length);
      if (high >= 0) opened.push(high);
      return high;
    };
    const orders = createPipe();
    const reports = createPipe();
    const none = openFile("/dev/null", flag.O_RDWR);
    try {
      if (typeof orders === "number" || typeof reports === "number" || none < 0) return "no descriptors left";
      const ordered = gatewaySockets.map((name) => sockets[this.#plan.sockets.indexOf(name)] ?? none);
      const dialers = sockets.slice(this.#plan.sockets.length);
      const table = [orders.readEnd, reports.writeEnd, 2, ...ordered, ...dialers, ...this.#listeners].map(give);
      if (table.some((fd) => fd < 0)) return "no descriptors left";
      const zonePorts = this.#plan.publish.map(({ zonePort }) => `${zonePort}`);
      const pid = spawnProcess(image.path, ["rauha-gateway", `${dialers.length}`, ...zonePorts], table);
      if (pid < 0) return `the gateway can't be started: errno ${-pid}`;
      return { pid, orders: orders.writeEnd, reports: reports.readEnd };
    } finally {
      for (const fd of opened) closeFd(fd);
      if (typeof orders !== "number") closeFd(orders.readEnd);
      if (typeof reports !== "number") closeFd(reports.writeEnd);
      if (none >= 0) closeFd(none);
    }
  }

  #read({ reports }: Process): void {
    const got = readFd(reports, this.#buffer);
    if (got === -4) return;
    if (got <= 0) {
      this.#close();
      return;
    }
    const now = performance.now();
    for (const report of this.#decoder.push(this.#buffer.slice(0, got))) this.#session.receive(report, now);
  }

  /** The pipe may be full: the gateway always takes orders, so this does not wait for long. */
  #send(): void {
    if (this.#process === undefined || this.#orders.length === 0) return;
    const orders = this.#orders;
    this.#orders = [];
    if (writeAll(this.#process.orders, Buffer.concat(orders)) < 0) this.#close();
  }

  #close(): void {
    const process = this.#process;
    this.#process = undefined;
    this.#state = "over";
    this.#leavePorts();
    if (process === undefined) return;
    // The end of the orders' pipe ends the gateway, whatever it is doing.
    closeFd(process.orders);
    closeFd(process.reports);
    const status = waitForChild(process.pid);
    if (status !== 0) this.#lose(`the gateway ended with wait status ${status}`);
  }

  #leavePorts(): void {
    for (const fd of this.#listeners) closeFd(fd);
    this.#listeners = [];
  }

  #lose(detail: string): void {
    this.#emit({ at: Date.now(), record: "egress_lost", detail });
  }
}
