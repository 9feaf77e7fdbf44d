import { ApplicationFailure } from '@temporalio/activity';
import type { HttpConnection } from '../lib/connections.ts';
import { refused } from './channel.ts';

/** Posts a value. @throws a failure that names who has not taken it */
export async function postJson(
  who: string,
  { url, username, password, token }: HttpConnection,
  body: object,
  signal: AbortSignal,
): Promise<void> {
  const authorization =
    token !== undefined
      ? `Bearer ${token}`
      : username !== undefined && `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`;
  let answer: Response;
  try {
    answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
      body: JSON.stringify(body),
      redirect: 'error',
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw ApplicationFailure.retryable(
      `${who} cannot be reached: ${error instanceof Error ? error.message : String(error)}`,
      'ChannelUnavailable',
    );
  }
  const text = await answer.text();
  if (!answer.ok) throw refused(who, answer.status, text);
}
