/** Python that tries each of these and prints `OK` or the errno's name. */
export function tries(...lines: readonly string[]): readonly string[] {
  const attempts = lines.map((line) => `t(lambda: ${line})`).join("\n");
  const script = `
import ctypes, errno, mmap, os, resource, signal, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    result = getattr(libc, name)(*args)
    if result < 0: raise OSError(ctypes.get_errno(), name)
    return result
def t(act):
    try: act(); print("OK")
    except OSError as e: print(errno.errorcode[e.errno])
${attempts}`;
  return ["python3", "-c", script];
}
