import type { TreeFs } from "../run/tree-fs.ts";
import { fromBytes, fromText, toText } from "../workspace/bytes.ts";

const replaced = "\ufffd";

/**
 * Words of the command line as byte strings. The JavaScript runtime puts U+FFFD where an argument is no UTF-8; names of files may be none, so
 * such a word is looked up in what the kernel was given.
 */
export function rawWords(fs: TreeFs, words: readonly string[]): string[] {
  const given = words.some((word) => word.includes(replaced)) ? ownArguments(fs) : [];
  return words.map((word) => given.find((raw) => toText(raw).text === word) ?? fromText(word));
}

function ownArguments(fs: TreeFs): string[] {
  const self = fs.root("/proc/self");
  const fd = fs.openFile(self, "cmdline");
  const buffer = new Uint8Array(1 << 16);
  let text = "";
  for (let n = fs.readAt(fd, buffer, 0); n > 0; n = fs.readAt(fd, buffer, text.length))
    text += fromBytes(buffer.subarray(0, n));
  fs.close(fd);
  fs.close(self);
  return text.split("\0");
}
