/** Whether a layer's own directory is a git directory, or lies in one: all of what is in it is git's. */
export function isGitLayer(source: string): boolean {
  return `${source}/`.toLowerCase().includes(".git/");
}

/** Whether a path lies in a repository's own `.git`, which no patch may touch; git refuses it, in any case of letters. */
export function isGitInternal(path: string): boolean {
  return path.split("/").some((part) => part.toLowerCase() === ".git");
}
