import { postJson } from '../lib/channels/post-json.ts';
import type { Json } from '../workflows/plan/json.ts';
import type { Tell } from './channel.ts';

/** Any address: the notice as JSON. */
export const tellWebhook: Tell = async (connections, { connection, action, key, page, by }, signal) => {
  const notice = { action, key, ...page, ...(by !== undefined && { by }) };
  await postJson('The webhook', connections.get(connection, ['http']), notice as unknown as Json, signal);
};
