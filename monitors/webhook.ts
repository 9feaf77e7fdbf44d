import type { Tell } from './channel.ts';
import { postJson } from './post-json.ts';

/** Any address: the notice as JSON. */
export const tellWebhook: Tell = async (connections, { connection, action, key, page, by }, signal) =>
  postJson('The webhook', connections.get(connection, ['http']), { action, key, ...page, ...(by !== undefined && { by }) }, signal);
