/** What the processes of the bench say to each other. */
export type Way = 'presage' | 'ws' | 'deflate';

export type ToServer =
  | { readonly do: 'round'; readonly way: Way; readonly messages: number; readonly everyMs: number }
  | { readonly do: 'usage' };
export interface FromServer {
  readonly ports?: Readonly<Record<Way, number>>;
  /** CPU time since the last report, µs. */
  readonly cpuUs?: number;
  readonly rssMb?: number;
  /** Bytes written to clients of a way since the start. */
  readonly bytes?: Readonly<Record<Way, number>>;
}

export type ToClients =
  | {
      readonly do: 'connect';
      readonly way: Way;
      readonly port: number;
      readonly path: string;
      readonly count: number;
    }
  | { readonly do: 'expect'; readonly way: Way; readonly messages: number };
export interface FromClients {
  readonly connected?: number;
  /** When the last message came, s of the monotonic clock. */
  readonly lastAt?: number;
  /** From being sent to being received, ms, by quantile. */
  readonly delayMs?: Readonly<Record<'p50' | 'p99', number>>;
}

/** Seconds of the clock that all processes of a machine share. */
export function monotonicS(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}
