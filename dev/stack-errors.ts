/**
 * Thrown when parts of the stack that are there do not start: a server that ends at once or never becomes healthy, a disk that is full.
 * What did start keeps running, and the next start reuses it. The message holds each part's last log lines and what to do.
 */
export class StackFailed extends Error {
  override readonly name = 'StackFailed';
}

/** One server did not become healthy. Its message is part of StackFailed's. */
export class ServerUnhealthy extends Error {
  override readonly name = 'ServerUnhealthy';
  /** True when it ended by itself, for which a lost race for a port may be the cause. */
  readonly ended: boolean;

  constructor(message: string, ended: boolean) {
    super(message);
    this.ended = ended;
  }
}

/** Thrown for a stop while another process is starting that part. */
export class StackBusy extends Error {
  override readonly name = 'StackBusy';
}
