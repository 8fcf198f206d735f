/** A token server as the distribution specification has it, for docker-registry with `auth: token`. */
import { createSign, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "./folders.ts";
import { tool } from "./tools.ts";

export interface TokenServer {
  /** What the registry's configuration says of it. */
  readonly auth: string;
  /** Who asked: the user's name, or empty for nobody. */
  readonly asked: { readonly user: string; readonly scope: string; readonly method: string }[];
  stop(): void;
}

/** A self-signed certificate for 127.0.0.1 and localhost: PEM files. */
export async function makeCertificate(): Promise<{ readonly key: string; readonly cert: string }> {
  const folder = makeFolder("certificate");
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  await tool([
    ...["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
    ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
  ]);
  return { key, cert };
}

/** Starts one that gives a token to `user:secret`, to the identity token `identity`, and to nobody where `anonymous` is set. */
export async function startTokenServer(anonymous: boolean): Promise<TokenServer> {
  const { key, cert } = await makeCertificate();
  const der = new X509Certificate(readFileSync(cert)).raw.toString("base64");
  const asked: TokenServer["asked"] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const form = request.method === "POST" ? new URLSearchParams(await request.text()) : undefined;
      const query = form ?? new URL(request.url).searchParams;
      const basic = Buffer.from(
        (request.headers.get("authorization") ?? "").replace(/^Basic /, ""),
        "base64",
      ).toString();
      const user = form?.get("refresh_token") === "identity" ? "identity" : basic;
      const scope = query.get("scope") ?? "";
      asked.push({ user: user.split(":")[0] ?? "", scope, method: request.method });
      const known = user === "user:secret" || user === "identity" || (user === "" && anonymous);
      if (!known) return new Response('{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}', { status: 401 });
      const [type, name, actions = ""] = scope.split(":");
      const access = [{ type, name, actions: actions.split(",") }];
      return Response.json({ token: sign({ aud: query.get("service"), access }, key, der), expires_in: 60 });
    },
  });
  const realm = `http://127.0.0.1:${server.port}/token`;
  return {
    auth: `{token: {realm: '${realm}', service: test, issuer: tester, rootcertbundle: ${cert}}}`,
    asked,
    stop: () => void server.stop(true),
  };
}

function sign(claims: object, key: string, der: string): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const head = part({ typ: "JWT", alg: "RS256", x5c: [der] });
  const body = part({
    iss: "tester",
    sub: "",
    nbf: now - 60,
    iat: now - 60,
    exp: now + 600,
    jti: String(now),
    ...claims,
  });
  const signature = createSign("RSA-SHA256").update(`${head}.${body}`).sign(readFileSync(key)).toString("base64url");
  return `${head}.${body}.${signature}`;
}
