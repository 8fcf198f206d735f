/** Shows text in the user's pager; false where there is none to be had, or the text is short enough for none. */
export async function showInPager(
  text: Uint8Array,
  env: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  const wanted = env["PAGER"];
  if (wanted === "" || wanted === "cat") return false;
  // F: straight through when it fits the screen; R: colours; X: nothing is wiped at the end.
  const options = { LESS: env["LESS"] ?? "FRX" };
  const command = wanted === undefined ? ["less"] : ["/bin/sh", "-c", wanted];
  try {
    const pager = Bun.spawn(command, {
      stdin: new Blob([text.slice()]),
      stdout: "inherit",
      stderr: "inherit",
      env: { ...env, ...options },
    });
    return (await pager.exited) !== 127;
  } catch {
    return false;
  }
}
