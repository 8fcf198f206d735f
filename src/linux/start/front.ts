import { frontMagic, frontSays, frontState } from "../../run/start/contract.ts";
import { bytesAt, wordAt } from "../ffi.ts";

/**
 * What the native front (native/front) has done before the runtime began. It is stitched to the executable by the build; a program
 * that runs from its sources has none.
 */

/** Sixteen hexadecimal digits that tell this build from any other; the compiler fills them in. */
declare const RAUHA_BUILD_ID: string | undefined;

/** A launcher that the front has started, with a plan that Rauha recorded. */
export interface BegunStart {
  readonly taskId: string;
  readonly zoneId: string;
  /** When Rauha began, in ms since the epoch. */
  readonly at: number;
  readonly pid: number;
  readonly report: number;
  readonly control: number;
  /** Signals that wait until somebody listens: a set of rt_sigprocmask(2). */
  readonly held: number;
  readonly plan: Uint8Array;
  /** The report so far, and when each piece of it arrived. */
  readonly heard: readonly { readonly piece: Uint8Array; readonly at: number }[];
}

/** Which build this is; undefined where there is no front. */
export function buildId(): string | undefined {
  return typeof RAUHA_BUILD_ID === "string" ? RAUHA_BUILD_ID : undefined;
}

type Field = (typeof frontState.fields)[number];

function field(name: Field): number {
  return wordAt(frontState.address, frontState.fields.indexOf(name) * 8);
}

function says(): number {
  return buildId() !== undefined && wordAt(frontState.address, 0) === frontMagic
    ? wordAt(frontState.address, 8)
    : frontSays.nothing;
}

/** Whether the front knows no record of this start, which could have one. */
export function isUnknownStart(): boolean {
  return says() === frontSays.unknown;
}

/** The start that the front has begun, for the runtime to go on with. */
export function begunStart(): BegunStart | undefined {
  if (says() !== frontSays.begun) return undefined;
  const text = (address: number) => new TextDecoder().decode(bytesAt(address, frontState.idBytes));
  const heard = bytesAt(field("heard"), field("heardBytes"));
  const startedBytes = field("startedBytes");
  const pieces = [
    { piece: heard.subarray(0, startedBytes), at: field("startedAt") },
    { piece: heard.subarray(startedBytes), at: field("heardAt") },
  ];
  return {
    taskId: text(field("taskId")),
    zoneId: text(field("zoneId")),
    at: field("createdAt"),
    pid: field("pid"),
    report: field("report"),
    control: field("control"),
    held: field("held"),
    plan: bytesAt(field("plan"), field("planBytes")),
    heard: pieces.filter(({ piece }) => piece.length > 0),
  };
}
