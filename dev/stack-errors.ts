/**
 * Thrown when available parts of the stack do not start: a server that ends immediately or never becomes healthy, a full disk. Started
 * parts keep running, and the next start reuses them. The message contains the last log lines of each part and what to do.
 */
export class StackFailed extends Error {
  override readonly name = 'StackFailed';
}

/** One server did not become healthy. Its message is part of that of StackFailed. */
export class ServerUnhealthy extends Error {
  override readonly name = 'ServerUnhealthy';
  /** Whether the server exited, possibly because another process took its port. */
  readonly ended: boolean;

  constructor(message: string, ended: boolean) {
    super(message);
    this.ended = ended;
  }
}

/** Thrown when another process is starting a part that should be stopped. */
export class StackBusy extends Error {
  override readonly name = 'StackBusy';
}
