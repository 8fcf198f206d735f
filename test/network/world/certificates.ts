/** A certificate authority of the tests' own, and one certificate for all sites of the world. */
import { writeFileSync } from "node:fs";

const names = ["*.good.example", "good.example", "evil.example", "*.evil.example", "registry.npmjs.org", "pypi.org"];

function openssl(...words: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["openssl", ...words], { stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`openssl ${words.join(" ")}: ${stderr}`);
}

/** Writes ca.pem, cert.pem and key.pem. */
export function makeCertificates(folder: string): void {
  const at = (name: string) => `${folder}/${name}`;
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", at("ca-key.pem"), "-out", at("ca.pem"), "-days", "2", "-subj", "/CN=test");
  openssl("req", ...key, "-keyout", at("key.pem"), "-out", at("request.pem"), "-subj", "/CN=world");
  writeFileSync(at("extensions"), `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}\n`);
  const sign = ["x509", "-req", "-in", at("request.pem"), "-CA", at("ca.pem"), "-CAkey", at("ca-key.pem")];
  openssl(...sign, "-CAcreateserial", "-days", "2", "-extfile", at("extensions"), "-out", at("cert.pem"));
}
