import type { Json } from '../../workflows/plan/values/json.ts';
import { callHttp, type HttpAnswer, type HttpService } from '../http.ts';
import { refused, unreachable } from './channel-error.ts';

/**
 * Posts a value to the address of a connection. Does not follow redirects: that would fetch a page instead of delivering the message.
 * @param who the channel's name in errors, because its address may be a secret
 * @throws ChannelError when the message was not accepted; the signal's reason
 */
export async function postJson(
  who: string,
  connection: HttpService,
  body: Json,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  let answer: HttpAnswer;
  try {
    answer = await callHttp(connection, { method: 'POST', path: connection.url, headers, body, redirect: 'manual', signal });
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(who, error);
  }
  const { status, body: said } = answer;
  if (status < 200 || status > 299) throw refused(who, status, typeof said === 'string' ? said : JSON.stringify(said));
}
