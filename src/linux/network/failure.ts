/** A step on the host's side of a network that failed: which, with which errno, and what about. */
export class NetworkFailure extends Error {
  override readonly name = "NetworkFailure";
  readonly step: string;
  /** 0: no call failed, `detail` says what is wrong. */
  readonly errno: number;
  readonly detail: string;

  constructor(step: string, errno: number, detail: string) {
    super(`${step}: ${detail} (errno ${errno})`);
    this.step = step;
    this.errno = errno;
    this.detail = detail;
  }
}
