/** Programs that keep credentials: `docker-credential-NAME get`, a server's name on its input and JSON on its output. */
import { refuse } from "../image-error.ts";
import type { Credentials } from "./credential.ts";

const patienceMs = 60_000;
const maxAnswer = 1 << 20;

/** Asks a helper; undefined when it has nothing for that server. `file` is what names the helper. */
export async function helperCredentials(
  name: string,
  server: string,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    refuse("invalid_config", `${file}: ${JSON.stringify(name)} is no name of a credential helper`);
  }
  const path = Bun.which(program, { PATH: env["PATH"] ?? "" });
  if (path === null) {
    refuse("not_found", `${file} names the credential helper ${program}, which is not in PATH`, `install ${program}`);
  }
  const child = Bun.spawn([path, "get"], {
    env: { ...env },
    stdio: [new TextEncoder().encode(server), "pipe", "pipe"],
    timeout: patienceMs,
    killSignal: "SIGKILL",
    maxBuffer: maxAnswer,
  });
  const [answer, words] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (child.exitCode !== 0) {
    const said = `${answer}\n${words}`.trim();
    if (/credentials not found/i.test(said)) return undefined;
    const why = said.split("\n", 1)[0]?.slice(0, 200) || `exit code ${child.exitCode}`;
    refuse("unauthorized", `the credential helper ${program} failed for ${server}: ${why}`);
  }
  return decodeAnswer(answer, `${program} (${server})`);
}

function decodeAnswer(answer: string, from: string): Credentials | undefined {
  let value: unknown;
  try {
    value = JSON.parse(answer);
  } catch {
    value = undefined;
  }
  const { Username: username, Secret: secret } = (value ?? {}) as { Username?: unknown; Secret?: unknown };
  if (typeof username !== "string" || typeof secret !== "string") {
    refuse("unauthorized", `the credential helper ${from} answered what is no JSON with Username and Secret`);
  }
  if (secret === "") return undefined;
  if (username === "<token>") return { kind: "identity", token: secret, from };
  return { kind: "password", username, password: secret, from };
}
