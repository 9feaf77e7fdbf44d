import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Thrown when a channel has not taken what it was told: it has refused it, it is in trouble, or it cannot be reached. */
export class ChannelError extends Error {
  override readonly name = 'ChannelError';

  /** @param hopeless whether it has refused: asking again will not change its answer */
  constructor(
    message: string,
    readonly hopeless: boolean,
  ) {
    super(message);
  }
}

/** By its name: where TypeScript runs as it stands, what is imported lazily has classes of its own. */
export function isChannelError(error: unknown): error is ChannelError {
  return error instanceof Error && error.name === 'ChannelError';
}

/** Of an answer, the beginning is said. Characters. */
const SHOWN = 300;

/** The error of an answer that is not a yes: what will not get better by asking again is hopeless. */
export function refused(channel: string, status: number, text: string): ChannelError {
  const hopeless = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return new ChannelError(`${channel} has answered ${status}: ${text.slice(0, SHOWN)}`, hopeless);
}

/** The error of no answer. @param error of the HTTP client, which hides the reason in its cause */
export function unreachable(channel: string, error: unknown): ChannelError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason = errorText(cause);
  return new ChannelError(`${channel} cannot be reached: ${reason}`, false);
}
