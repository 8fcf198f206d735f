/** The pure parts of talking to a registry. */
import { describe, expect, test } from "bun:test";
import { ImageError } from "../../../src/image/image-error.ts";
import { readReference } from "../../../src/image/reference.ts";
import { checkedRealm } from "../../../src/image/registry/authorize.ts";
import { backOffMs, pauseMs, retryAfterMs } from "../../../src/image/registry/back-off.ts";
import { parseChallenges } from "../../../src/image/registry/challenge.ts";
import { authFiles, registryKeys } from "../../../src/image/registry/credentials.ts";
import { endpointsOf } from "../../../src/image/registry/endpoint.ts";
import { explanationOf } from "../../../src/image/registry/failure.ts";
import { proxyFor } from "../../../src/image/registry/proxy.ts";
import { defaultConfig, parseRegistryConfig } from "../../../src/image/registry/registry-config.ts";

describe("challenges", () => {
  const read = (header: string | null) =>
    parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

  test("of the usual registries", () => {
    expect(read('Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull"')).toEqual([
      ["bearer", { realm: "https://auth.example/token", service: "reg", scope: "repository:a/b:pull" }],
    ]);
    expect(read('Basic realm="a \\"quoted\\" one"')).toEqual([["basic", { realm: 'a "quoted" one' }]]);
    expect(read("BASIC realm=x")).toEqual([["basic", { realm: "x" }]]);
  });

  test("several in one header, in order", () => {
    expect(read('Negotiate, Basic realm="x", Bearer realm="y",service=z').map(([scheme]) => scheme)).toEqual([
      "negotiate",
      "basic",
      "bearer",
    ]);
  });

  test("a scope with commas and spaces stays one", () => {
    expect(read('Bearer scope="repository:a:pull,push repository:b:pull"')[0]?.[1]).toEqual({
      scope: "repository:a:pull,push repository:b:pull",
    });
  });

  test.each([null, "", ",,,", '"', "=", 'Bearer realm="unclosed'])("%j is no reason to fail", (header) => {
    expect(() => read(header)).not.toThrow();
  });

  test("a long and hostile header ends soon", () => {
    for (const piece of ['a="', "a=b,", "\\", 'a "\\', " ,"]) {
      const began = performance.now();
      read(piece.repeat(100_000));
      expect(performance.now() - began).toBeLessThan(5000);
    }
  });
});

describe("the token server that a registry names", () => {
  const secure = new URL("https://reg.example/");
  const plain = new URL("http://reg.example:5000/");

  test.each([
    ["https://auth.example/token", secure],
    ["https://auth.example/token", plain],
    ["http://reg.example:5001/token", plain],
    ["https://reg.example/token", secure],
  ])("%s is asked by %s", (realm, registry) => expect(checkedRealm(realm, registry).href).toBe(realm));

  test.each([
    ["http://auth.example/token", secure, "another host, in the clear"],
    ["http://auth.example/token", plain, "another host, in the clear"],
    ["http://reg.example/token", secure, "the same host, but no TLS any more"],
    ["ftp://reg.example/token", plain, "no HTTP"],
    ["/token", plain, "no URL"],
    ["", plain, "nothing"],
  ])("%s is not asked by %s: %s", (realm, registry) => {
    expect(() => checkedRealm(realm, registry)).toThrow(ImageError);
  });

  test("credentials in its URL are not sent", () => {
    expect(checkedRealm("https://a:b@auth.example/token", secure).href).toBe("https://auth.example/token");
  });
});

describe("proxies", () => {
  const env = {
    HTTPS_PROXY: "http://proxy:1",
    http_proxy: "proxy:2",
    NO_PROXY: "internal.example, .corp, 10.0.0.0/8,h:5000",
  };
  test.each([
    ["https://reg.example/", "http://proxy:1"],
    ["http://reg.example/", "http://proxy:2"],
    ["https://internal.example/", undefined],
    ["https://a.internal.example/", undefined],
    ["https://notinternal.example/", "http://proxy:1"],
    ["https://x.corp/", undefined],
    ["https://10.20.30.40/", undefined],
    ["https://11.0.0.1/", "http://proxy:1"],
    ["https://h:5000/", undefined],
    ["https://h/", "http://proxy:1"],
    ["http://localhost:5000/", undefined],
    ["http://127.8.9.1:5000/", undefined],
    ["http://[::1]:5000/", undefined],
    ["https://127.0.0.1.evil.example/", "http://proxy:1"],
  ])("%s goes by %s", (url, proxy) => expect(proxyFor(new URL(url), env)).toBe(proxy));

  test("none, and all exempt", () => {
    expect(proxyFor(new URL("https://a.example/"), {})).toBeUndefined();
    expect(proxyFor(new URL("https://a.example/"), { HTTPS_PROXY: "" })).toBeUndefined();
    expect(proxyFor(new URL("https://a.example/"), { HTTPS_PROXY: "http://p", no_proxy: "*" })).toBeUndefined();
    expect(proxyFor(new URL("https://[fd00::1]/"), { HTTPS_PROXY: "http://p", no_proxy: "[fd00::1]" })).toBeUndefined();
  });
});

describe("patience", () => {
  test("grows, within bounds, whatever the dice say", () => {
    for (const random of [() => 0, () => 0.999]) {
      const pauses = Array.from({ length: 12 }, (_, index) => backOffMs(index + 1, random));
      expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(125);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(15_000);
    }
  });

  test.each([
    ["5", 5000],
    ["0", 0],
    ["Thu, 01 Jan 1970 00:00:30 GMT", 20_000],
    ["Thu, 01 Jan 1970 00:00:01 GMT", 0],
    ["soon", undefined],
    ["-5", undefined],
    ["", undefined],
    [null, undefined],
  ])("Retry-After: %j", (header, ms) => {
    // A date without a time zone or sense is read by no one else either.
    const parsed = retryAfterMs(header, 10_000);
    if (header === "-5") expect(parsed === undefined || parsed >= 0).toBeTrue();
    else expect(parsed).toBe(ms as number);
  });

  test("ends where the registry wants more than a minute", () => {
    expect(pauseMs(1, 61_000)).toBeUndefined();
    expect(pauseMs(1, 60_000)).toBe(60_000);
    expect(pauseMs(1, undefined)).toBeLessThanOrEqual(250);
  });
});

describe("registries.toml", () => {
  const parse = (text: string) => parseRegistryConfig(new TextEncoder().encode(text), "registries.toml");

  test("is read", () => {
    const { config, diagnostics } = parse(`
      timeout = "5s"
      retries = 2
      parallel = 8
      [registry."docker.io"]
      mirrors = ["mirror.example:5000", "other.example/hub"]
      [registry."10.0.0.5:5000"]
      insecure = true
      ca = "/etc/own.pem"
    `);
    expect(diagnostics).toEqual([]);
    expect(config).toMatchObject({ timeoutMs: 5000, retries: 2, parallel: 8 });
    expect(config.registries.get("10.0.0.5:5000")).toEqual({ mirrors: [], insecure: true, ca: "/etc/own.pem" });
    const endpoints = endpointsOf(readReference("python:3"), config).map(
      ({ host, repository }) => `${host}/${repository}`,
    );
    expect(endpoints).toEqual([
      "mirror.example:5000/library/python",
      "other.example/hub/library/python",
      "registry-1.docker.io/library/python",
    ]);
  });

  test("every mistake is told, with its place", () => {
    const { config, diagnostics } = parse(
      [
        "timout = 3",
        'retries = "many"',
        "parallel = 0",
        '[registry."docker.io"]',
        'mirror = ["x"]',
        'mirrors = ["https://x", 5]',
        'insecure = "yes"',
        'ca = "own.pem"',
        '[registry."no/host"]',
      ].join("\n"),
    );
    const places = diagnostics.map(({ origin, hint }) => [
      origin?.kind === "policy" ? `${origin.line}:${origin.column} ${origin.key}` : "",
      hint,
    ]);
    expect(places.map(([place]) => place).sort()).toEqual(
      [
        "1:1 timout",
        "2:1 retries",
        "3:1 parallel",
        '5:1 registry."docker.io".mirror',
        '6:12 registry."docker.io".mirrors[0]',
        '6:25 registry."docker.io".mirrors[1]',
        '7:1 registry."docker.io".insecure',
        '8:1 registry."docker.io".ca',
        '9:11 registry."no/host"',
      ].sort(),
    );
    expect(places.find(([place]) => place === "1:1 timout")?.[1]).toBe("did you mean timeout?");
    expect(config).toEqual(defaultConfig);
  });

  test("subordinate ids are asked for by one key, and the later file has the last word", () => {
    expect(parse("").config.subordinateIds).toBeUndefined();
    expect(parse("[ids]").config.subordinateIds).toBeUndefined();
    const on = parse("[ids]\nsubordinate = true").config;
    expect(on.subordinateIds).toBe("registries.toml");
    const over = (text: string) => parseRegistryConfig(new TextEncoder().encode(text), "own.toml", on).config;
    expect(over("retries = 1").subordinateIds).toBe("registries.toml");
    expect(over("[ids]\nsubordinate = true").subordinateIds).toBe("own.toml");
    expect(over("[ids]\nsubordinate = false").subordinateIds).toBeUndefined();
  });

  test.each([
    ["ids = true", "1:1 ids"],
    ['[ids]\nsubordinate = "yes"', "2:1 ids.subordinate"],
    ["[ids]\nsubordinates = true", "2:1 ids.subordinates"],
  ])("%j is refused", (text, place) => {
    const { config, diagnostics } = parse(text);
    expect(config).toEqual(defaultConfig);
    const origins = diagnostics.map(({ origin }) => origin as { line: number; column: number; key: string });
    expect(origins.map(({ line, column, key }) => `${line}:${column} ${key}`)).toEqual([place]);
  });

  test.each([
    ["a = ", "1:"],
    ["\0", "NUL"],
  ])("%j is no TOML", (text) => {
    expect(parse(text).diagnostics).toHaveLength(1);
    expect(parse(text).diagnostics[0]?.code).toBe("invalid_config");
  });
});

describe("endpoints", () => {
  const only = (name: string, config = defaultConfig) => endpointsOf(readReference(name), config).at(-1);

  test.each([
    ["localhost:5000/a", true],
    ["127.0.0.1/a", true],
    ["[::1]:5000/a", true],
    ["10.0.0.1:5000/a", false],
    ["localhost.example/a", false],
    ["python", false],
  ])("%s without settings is insecure: %p", (name, insecure) => expect(only(name)?.insecure).toBe(insecure));

  test("settings say otherwise", () => {
    const registries = new Map([["localhost:5000", { mirrors: [], insecure: false, ca: undefined }]]);
    expect(only("localhost:5000/a", { ...defaultConfig, registries })?.insecure).toBeFalse();
  });
});

describe("credentials", () => {
  test("keys go from the repository to the host, with docker's spellings", () => {
    const keys = registryKeys("docker.io", "library/python");
    expect(keys.slice(0, 3)).toEqual(["docker.io/library/python", "docker.io/library", "docker.io"]);
    expect(keys).toContain("https://index.docker.io/v1/");
    expect(registryKeys("h:5000", "a")).not.toContain("https://index.docker.io/v1/");
  });

  test("files in their order", () => {
    const paths = (env: Record<string, string>) =>
      authFiles(env, 7).map(({ path, required }) => (required ? `${path} !` : path));
    expect(paths({ HOME: "/h" })).toEqual([
      "/run/containers/7/auth.json",
      "/h/.config/containers/auth.json",
      "/h/.docker/config.json",
    ]);
    expect(paths({ HOME: "/h", XDG_RUNTIME_DIR: "/r", XDG_CONFIG_HOME: "/c", DOCKER_CONFIG: "/d" })).toEqual([
      "/r/containers/auth.json",
      "/c/containers/auth.json",
      "/d/config.json",
    ]);
    expect(paths({ HOME: "/h", XDG_RUNTIME_DIR: "/r", REGISTRY_AUTH_FILE: "/a" })).toEqual([
      "/a !",
      "/h/.docker/config.json",
    ]);
  });
});

describe("a registry's own words", () => {
  test.each([
    ['{"errors":[{"code":"DENIED","message":"no"}]}', "DENIED, no"],
    ['{"errors":[]}', ""],
    ['{"errors":[{"code":5}]}', ""],
    ['{"details":"slow down"}', "slow down"],
    ["<html>", ""],
    ["null", ""],
  ])("%s says %j", (body, words) => expect(explanationOf(body)).toBe(words));
});
