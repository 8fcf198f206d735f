/** The internet of the tests: which name has which addresses. Documentation ranges, and the special ones that must stay out of reach. */
export const web = ["203.0.113.10", "2001:db8::10"];
/** Shared by an allowed and a forbidden site, as at a content delivery network. */
export const shared = ["203.0.113.20"];

export const zone: Readonly<Record<string, readonly string[]>> = {
  "www.good.example": web,
  "good.example": web,
  "deep.sub.good.example": web,
  "four.good.example": ["203.0.113.10"],
  "six.good.example": ["2001:db8::10"],
  "cdn.good.example": shared,
  "evil.example": ["203.0.113.66", "2001:db8::66"],
  "cdn.evil.example": shared,
  /** Names that lead inside: rebinding. */
  "loop.good.example": ["127.0.0.1"],
  "meta.good.example": ["169.254.169.254"],
  "private.good.example": ["10.0.0.1"],
  "mapped.good.example": ["::ffff:169.254.169.254"],
  "half.good.example": ["10.0.0.1", "203.0.113.10"],
  "dead6.good.example": ["2001:db8:dead::1", "203.0.113.10"],
  "ssh.good.example": ["203.0.113.22"],
  "registry.npmjs.org": ["203.0.113.30"],
  "pypi.org": ["203.0.113.30"],
};

export const aliases: Readonly<Record<string, string>> = {
  "alias.good.example": "one.cdn.example",
  "one.cdn.example": "two.cdn.example",
  "loop1.good.example": "loop2.good.example",
  "loop2.good.example": "loop1.good.example",
};
export const aliasTargets: Readonly<Record<string, readonly string[]>> = { "two.cdn.example": ["203.0.113.10"] };

/** Addresses that the world's loopback has: all that anything answers at. */
export const addresses = [
  ...new Set([
    ...Object.values(zone).flat(),
    ...["203.0.113.77", "169.254.169.254", "10.0.0.1", "192.168.7.7", "100.64.0.1", "fd12::1"],
  ]),
].filter((address) => !address.startsWith("127.") && !address.startsWith("::ffff:") && !address.includes("dead"));
