import type { HttpService } from '../http.ts';
import { postJson } from './post-json.ts';

/** Says a text through a webhook of Slack. @param text in Slack's mrkdwn @throws ChannelError, the signal's reason */
export function sayOnSlack(connection: HttpService, text: string, signal: AbortSignal): Promise<void> {
  return postJson('Slack', connection, { text }, signal);
}

/** A text that names nobody and links nowhere, whatever it is made of. */
export function escapeForSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
