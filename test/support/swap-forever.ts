/** Exchanges two names again and again, as fast as it can, until it is killed:  bun swap-forever.ts A B */
import { dlopen, ptr } from "bun:ffi";

const { symbols } = dlopen("libc.so.6", {
  renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" },
});
const [a, b] = process.argv.slice(2).map((path) => Buffer.from(`${path}\0`)) as [Buffer, Buffer];
const [AT_FDCWD, RENAME_EXCHANGE] = [-100, 2];
const swap = () => symbols.renameat2(AT_FDCWD, ptr(a), AT_FDCWD, ptr(b), RENAME_EXCHANGE);
if (swap() !== 0) throw new Error("renameat2 failed");
console.log("swapping");
for (;;) swap();
