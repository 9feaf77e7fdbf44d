import { ApplicationFailure } from '@temporalio/activity';
import { isChannelError } from '../../lib/channels/channel-error.ts';
import { connectionVariable } from '../../connections/parse.ts';
import { platformFault, userFault } from '../run/errors.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/**
 * Translates a failed notification into an error for the analyst.
 * @param scrub removes secrets: the channel may repeat in its answer what it was sent
 */
export function notifyFailure(error: unknown, connection: string, scrub: (text: string) => string): Error {
  if (error instanceof ApplicationFailure) return error;
  const text = scrub(errorText(error));
  const from = `connection '${connection}'`;
  // Omit the cause: it would contain the text before scrubbing.
  return isChannelError(error) && error.hopeless
    ? userFault('RequestRefused', `${text} (${from}). Check the address or the key in ${connectionVariable(connection)}, and the message.`)
    : platformFault('ServiceUnavailable', `${text} (${from}). The task will try again.`);
}
