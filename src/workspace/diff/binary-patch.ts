import { deflateSync } from "node:zlib";

/** `GIT binary patch`: both contents whole, deflated, in base 85, so that the patch applies either way. */

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const lineBytes = 52;

export function binaryPatch(before: Uint8Array, after: Uint8Array): string {
  return `GIT binary patch\n${literal(after)}\n${literal(before)}\n`;
}

function literal(content: Uint8Array): string {
  const data = deflateSync(content, { level: 9 });
  const lines = [`literal ${content.length}\n`];
  for (let at = 0; at < data.length; at += lineBytes) lines.push(encodeLine(data.subarray(at, at + lineBytes)));
  return lines.join("");
}

/** The length as one letter (A to Z for 1 to 26, a to z for 27 to 52), then five digits for every four bytes. */
function encodeLine(bytes: Uint8Array): string {
  const { length } = bytes;
  let line = String.fromCharCode(length <= 26 ? 64 + length : 70 + length);
  for (let at = 0; at < length; at += 4) {
    let value = 0;
    for (let i = 0; i < 4; i++) value = value * 256 + (bytes[at + i] ?? 0);
    let group = "";
    for (let i = 0; i < 5; i++) {
      group = digits.charAt(value % 85) + group;
      value = Math.floor(value / 85);
    }
    line += group;
  }
  return `${line}\n`;
}
