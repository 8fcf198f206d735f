const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * The bytes as a host name in lower case without the dot at the end, or undefined for what is none. Anything but letters, digits,
 * hyphens and underscores would be read differently by somebody.
 */
export function hostName(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0 || bytes.length > 254) return undefined;
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return hostNameOf(text);
}

/** The same for a text. */
export function hostNameOf(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, "");
  if (name === "" || name.length > 253) return undefined;
  return name.split(".").every((part) => label.test(part)) ? name : undefined;
}
