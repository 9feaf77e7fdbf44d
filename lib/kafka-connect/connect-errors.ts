/** Thrown when no worker of Kafka Connect answers, or it answers that it cannot serve a request now. A later attempt may succeed. */
export class ConnectUnavailable extends Error {
  override readonly name = 'ConnectUnavailable';
}

/** Thrown when Kafka Connect refuses a request: an invalid configuration, wrong credentials, or a state that does not allow it. */
export class ConnectRefused extends Error {
  override readonly name = 'ConnectRefused';

  /** @param status the HTTP status of the answer */
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}
