import { signalNumber } from "../../run/report/signals.ts";
import { refuse } from "../image-error.ts";

const SIGTERM = 15;

/** The number of an image's `StopSignal`: a name with or without SIG, `SIGRTMIN+3`, or a number. */
export function stopSignal(written: string | undefined): number {
  if (written === undefined || written === "") return SIGTERM;
  const number = /^[0-9]+$/.test(written) ? Number(written) : signalNumber(written);
  if (number !== undefined && number >= 1 && number <= 64) return number;
  return refuse("invalid_image", `the image's stop signal ${JSON.stringify(written)} is none`);
}
