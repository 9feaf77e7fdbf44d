import { postJson } from '../lib/channels/post-json.ts';
import { headerKey } from '../lib/http/header-key.ts';
import type { Json } from '../workflows/plan/values/json.ts';
import { defineChannel } from './define-channel.ts';
import { IDEMPOTENCY_KEY } from '../lib/idempotency-header.ts';

/** Any HTTP address: receives the notice or the message as JSON. */
export const webhook = defineChannel<'http'>({
  name: 'webhook',
  title: 'Webhook',
  description: 'Post to a URL.',
  connection: { type: 'http', description: 'The connection with the URL.', formerly: 'connection' },
  async sendNotice(connection, { action, key, page, by }, signal) {
    const notice = { action, key, ...page, ...(by !== undefined && { by }) };
    await postJson('The webhook', connection, notice as unknown as Json, signal);
  },
  /** Sends the message with its key, also in a header. */
  async sendMessage(connection, { text, severity, key, from }, signal) {
    await postJson('The webhook', connection, { key, message: text, severity, ...from }, signal, { [IDEMPOTENCY_KEY]: headerKey(key) });
  },
});
