/**
 * Names of images as docker reads them (the grammar and the normalisation of github.com/distribution/reference): `python:3.12`
 * is docker.io/library/python:3.12, `localhost:5000/tool` is on a registry of this machine, `name@sha256:…` names exact bytes.
 */
import { refuse } from "./image-error.ts";

/** The name of an image by its parts, with docker's defaults filled in. */
export interface Reference {
  /** Host and port of the registry, `docker.io` for Docker Hub. */
  readonly registry: string;
  readonly repository: string;
  /** Undefined where a digest names the image: a tag beside it means nothing. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  /** All of it: `docker.io/library/python:3.12`. The same image has the same text, however it was spelled. */
  readonly text: string;
}

export type ParsedReference =
  | { readonly ok: true; readonly reference: Reference }
  | { readonly ok: false; readonly message: string; readonly hint?: string | undefined };

const defaultRegistry = "docker.io";
const label = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const registryPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]{1,5})?$`);
const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^\w[\w.-]{0,127}$/;
const maxNameLength = 255;

/** Reads a name, or says what is wrong with it. */
export function parseReference(given: string): ParsedReference {
  const quoted = JSON.stringify(given.length > 80 ? `${given.slice(0, 80)}…` : given);
  const wrong = (why: string, hint?: string): ParsedReference => ({
    ok: false,
    message: `${quoted} is no name of an image: ${why}`,
    hint,
  });
  if (given === "") return wrong("it is empty", "for example python:3.12");
  if (given.length > 1024) return wrong("it is longer than 1024 characters");
  const scheme = /^[a-z+-]+:\/\//i.exec(given)?.[0];
  if (scheme !== undefined) return wrong(`it begins with ${scheme}`, `leave ${scheme} out`);
  const at = given.indexOf("@");
  const digest = at < 0 ? undefined : given.slice(at + 1);
  if (digest !== undefined && !digestPattern.test(digest)) {
    return wrong(
      "after @ there must be a digest",
      "sha256: and 64 lower-case hexadecimal digits, or sha512: and 128 of them",
    );
  }
  const { name, tag } = splitTag(at < 0 ? given : given.slice(0, at));
  if (tag !== undefined && !tagPattern.test(tag)) {
    return wrong(
      "after the last : there must be a tag",
      "1 to 128 letters, digits, _, . and -, the first a letter, digit or _",
    );
  }
  if (/^[a-f0-9]{64}$/.test(name)) {
    return wrong("64 hexadecimal digits are an id, not a name", "write NAME@sha256:… for an exact image");
  }
  const { registry, repository } = splitRegistry(name);
  if (!registryPattern.test(registry)) {
    return wrong(`${JSON.stringify(registry)} is no host`, "HOST[:PORT]/NAME[:TAG]");
  }
  if (repository === "") return wrong("the name after the host is missing", `write ${registry}/NAME`);
  if (repository !== repository.toLowerCase()) {
    return wrong("a name has no capital letters", `did you mean ${name.toLowerCase()}?`);
  }
  if (!repositoryPattern.test(repository)) {
    return wrong(
      `${JSON.stringify(repository)} is not made of parts with / between`,
      "a part: a-z and 0-9, with single . or _, __ or - between",
    );
  }
  if (registry.length + repository.length + 1 > maxNameLength) {
    return wrong(`its name is longer than ${maxNameLength} characters`);
  }
  return { ok: true, reference: makeReference(registry, repository, tag, digest) };
}

/** The same, as an exception: an `invalid_argument` for whoever named it. */
export function readReference(given: string): Reference {
  const parsed = parseReference(given);
  return parsed.ok ? parsed.reference : refuse("invalid_argument", parsed.message, parsed.hint);
}

/** The same name with a digest for its tag. */
export function withDigest(reference: Reference, digest: string): Reference {
  return makeReference(reference.registry, reference.repository, undefined, digest);
}

const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

function makeReference(
  registry: string,
  repository: string,
  tag: string | undefined,
  digest: string | undefined,
): Reference {
  const base = `${registry}/${repository}`;
  if (digest !== undefined) return { registry, repository, tag: undefined, digest, text: `${base}@${digest}` };
  const held = tag ?? "latest";
  return { registry, repository, tag: held, digest: undefined, text: `${base}:${held}` };
}

/** A colon after the last slash begins a tag; one before it is a port's. */
function splitTag(text: string): { readonly name: string; readonly tag: string | undefined } {
  const colon = text.lastIndexOf(":");
  if (colon <= text.lastIndexOf("/")) return { name: text, tag: undefined };
  return { name: text.slice(0, colon), tag: text.slice(colon + 1) };
}

/** What stands before the first slash is a registry when it can be no part of a name: a dot, a port, a capital letter, or localhost. */
function splitRegistry(name: string): { readonly registry: string; readonly repository: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const registry = !isHost ? defaultRegistry : first === "index.docker.io" ? defaultRegistry : first;
  const repository = isHost ? name.slice(slash + 1) : name;
  const official = registry === defaultRegistry && repository !== "" && !repository.includes("/");
  return { registry, repository: official ? `library/${repository}` : repository };
}
