import { formatSize, parseDuration, parseSize } from "../units.ts";
import { describeValue, type Form, type Read, read, unexpected, wrong } from "./form.ts";

/** Forms of sizes, durations and numbers, each with its bounds. */

/** What lifts a limit that an extended policy sets. */
export const unlimited = "unlimited";

/** The least and the most, both included. */
export interface Bounds {
  readonly min: number;
  readonly max?: number;
}

const sizeExpected = 'a size such as "512Mi", "4Gi" or a number of bytes';
const durationExpected = 'a duration such as "30s", "5m", "1h30m" or a number of seconds';

/** A size in bytes: a number, or text with a unit. */
export function sizeForm(bounds: Bounds): Form<number> {
  return (value) => {
    const bytes =
      typeof value === "string"
        ? parseSize(value)
        : typeof value === "number" && Number.isInteger(value)
          ? value
          : undefined;
    if (bytes === undefined) return unexpected(value, sizeExpected);
    return withinBounds(bytes, value, bounds, formatSize);
  };
}

/** Milliseconds. */
export function durationForm(): Form<number> {
  return readDuration;
}

function readDuration(value: unknown): Read<number> {
  const isNumber = typeof value === "number" && Number.isFinite(value) && value >= 0;
  const ms = typeof value === "string" ? parseDuration(value) : isNumber ? parseDuration(decimal(value)) : undefined;
  return ms === undefined ? unexpected(value, durationExpected) : read(ms);
}

/** A number without an exponent. */
function decimal(value: number): string {
  return Number.isInteger(value) ? String(BigInt(value)) : value.toFixed(9);
}

/** Whole seconds. */
export function secondsForm(bounds: Bounds): Form<number> {
  return (value) => {
    const outcome = readDuration(value);
    if (!outcome.ok) return outcome;
    if (outcome.value % 1000 !== 0) return unexpected(value, "whole seconds");
    return withinBounds(outcome.value / 1000, value, bounds, (seconds) => `${seconds} s`);
  };
}

export function integerForm(bounds: Bounds): Form<number> {
  return (value) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value)) {
      const hint = typeof value === "string" && /^-?\d+$/.test(value) ? "write it without quotes" : undefined;
      return unexpected(value, `a whole number ${boundsInWords(bounds)}`, hint);
    }
    return withinBounds(value, value, bounds);
  };
}

export function numberForm(bounds: Bounds): Form<number> {
  return (value) => {
    if (typeof value !== "number" || !Number.isFinite(value)) {
      const hint = typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? "write it without quotes" : undefined;
      return unexpected(value, `a number ${boundsInWords(bounds)}`, hint);
    }
    return withinBounds(value, value, bounds);
  };
}

/** The form, and the word `unlimited` for null. */
export function limitForm(form: Form<number>): Form<number | null> {
  return (value) => (value === unlimited ? read(null) : form(value));
}

function boundsInWords({ min, max }: Bounds): string {
  return max === undefined ? `of ${min} or more` : `from ${min} to ${max}`;
}

function withinBounds(
  value: number,
  written: unknown,
  { min, max }: Bounds,
  words: (bound: number) => string = String,
): Read<number> {
  if (value < min) return wrong(`${describeValue(written)} is too little: expected at least ${words(min)}`);
  if (max !== undefined && value > max) {
    return wrong(`${describeValue(written)} is too much: expected at most ${words(max)}`);
  }
  return read(value);
}
