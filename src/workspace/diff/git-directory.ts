/** Whether a path lies in a repository's own `.git`, which no patch may touch; git refuses it, in any case of letters. */
export function isGitInternal(path: string): boolean {
  return path.split("/").some((part) => part.toLowerCase() === ".git");
}
