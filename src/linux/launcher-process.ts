/** A launcher that runs: its pid, and our ends of its pipes for reports and for orders. */
export interface LauncherProcess {
  readonly pid: number;
  readonly report: number;
  readonly control: number;
}
