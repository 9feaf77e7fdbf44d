import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Thrown when a channel has not accepted a message: it rejected it, failed, or is unreachable. */
export class ChannelError extends Error {
  override readonly name = 'ChannelError';

  /** @param hopeless whether the channel rejected the message, so that a retry cannot succeed */
  constructor(
    message: string,
    readonly hopeless: boolean,
  ) {
    super(message);
  }
}

/** Compares by name: lazily imported modules may have their own copy of the class when TypeScript runs directly. */
export function isChannelError(error: unknown): error is ChannelError {
  return error instanceof Error && error.name === 'ChannelError';
}

/** Maximum length of a response in a message, in characters. */
const SHOWN = 300;

/** Creates the error for an unsuccessful response; `hopeless` if a retry cannot succeed. */
export function refused(channel: string, status: number, text: string): ChannelError {
  const hopeless = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return new ChannelError(`${channel} has answered ${status}: ${text.slice(0, SHOWN)}`, hopeless);
}

/** Creates the error for a missing response. @param error of the HTTP client, which hides the reason in its cause */
export function unreachable(channel: string, error: unknown): ChannelError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason = errorText(cause);
  return new ChannelError(`${channel} cannot be reached: ${reason}`, false);
}
