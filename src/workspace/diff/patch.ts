import { fromBytes } from "../bytes.ts";
import { binaryPatch } from "./binary-patch.ts";
import type { FilePair, FileSide } from "./file-pair.ts";
import { blobId, gitMode, headerName, isBinary, quoteName } from "./git-words.ts";
import { renderHunks } from "./hunks.ts";

/** A file's difference in git's extended format, and how many lines it is. */
export interface FilePatch {
  readonly path: string;
  /** A byte string; empty when git sees no difference. */
  readonly text: string;
  readonly added: number;
  readonly removed: number;
  readonly binary: boolean;
}

/** `binary` "patch": contents that are no text travel too, so that `git apply` makes them; "name": they are only named. */
export interface PatchStyle {
  readonly binary: "patch" | "name";
}

const nothing = "0".repeat(40);

/** One pair as one patch; a file that became a symlink, or the other way round, as a deletion and an addition. */
export function patchPair(pair: FilePair, style: PatchStyle): FilePatch[] {
  const { path, before, after } = pair;
  if (before !== undefined && after !== undefined && before.type !== after.type) {
    return [patchOne({ path, before, after: undefined }, style), patchOne({ path, before: undefined, after }, style)];
  }
  return [patchOne(pair, style)];
}

function patchOne({ path, before, after }: FilePair, style: PatchStyle): FilePatch {
  const [oldName, newName] = [`a/${path}`, `b/${path}`];
  const binary = [before, after].some((side) => side?.type === "file" && isBinary(side.content));
  const [oldId, newId] = [idOf(before), idOf(after)];
  const lines = modeLines(before, after);
  const same = { path, added: 0, removed: 0, binary };
  if (lines.length === 0 && oldId === newId) return { ...same, text: "" };
  lines.unshift(`diff --git ${quoteName(oldName)} ${quoteName(newName)}`);
  if (oldId === newId) return { ...same, text: `${lines.join("\n")}\n` };

  const mode = before !== undefined && after !== undefined && lines.length === 1 ? ` ${modeOf(after)}` : "";
  lines.push(`index ${oldId}..${newId}${mode}`);
  const head = `${lines.join("\n")}\n`;
  const [oldPlace, newPlace] = [before === undefined ? undefined : oldName, after === undefined ? undefined : newName];
  if (binary) {
    const words = `Binary files ${placeWords(oldPlace)} and ${placeWords(newPlace)} differ\n`;
    const body = style.binary === "name" ? words : binaryPatch(contentOf(before), contentOf(after));
    return { ...same, text: head + body };
  }
  const hunks = renderHunks(fromBytes(contentOf(before)), fromBytes(contentOf(after)));
  const places = `--- ${oldPlace === undefined ? "/dev/null" : headerName(oldPlace)}\n+++ ${newPlace === undefined ? "/dev/null" : headerName(newPlace)}\n`;
  const { added, removed } = hunks;
  return { path, added, removed, binary, text: head + (hunks.text === "" ? "" : places + hunks.text) };
}

function modeLines(before: FileSide | undefined, after: FileSide | undefined): string[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [`new file mode ${modeOf(after)}`];
  if (after === undefined) return [`deleted file mode ${modeOf(before)}`];
  const [old, now] = [modeOf(before), modeOf(after)];
  return old === now ? [] : [`old mode ${old}`, `new mode ${now}`];
}

function modeOf(side: FileSide | undefined): string {
  return side === undefined ? "000000" : gitMode(side.type, side.mode);
}

function contentOf(side: FileSide | undefined): Uint8Array {
  return side?.content ?? new Uint8Array();
}

function idOf(side: FileSide | undefined): string {
  return side === undefined ? nothing : blobId(side.content);
}

function placeWords(place: string | undefined): string {
  return place === undefined ? "/dev/null" : quoteName(place);
}
