import type { Json } from '../../workflows/plan/values/json.ts';
import { callHttp, type HttpAnswer, type HttpService } from '../http.ts';
import { refused, unreachable } from './channel-error.ts';

/**
 * Posts a value to the address of a connection, and nowhere else: to follow a redirect would be to ask for a page and to tell nobody.
 * @param who the channel, as errors name it: its address may be a secret
 * @throws ChannelError when it was not taken; the signal's reason
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
