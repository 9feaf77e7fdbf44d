import type { Client } from '@temporalio/client';
import { connectClient } from '../temporal/connect.ts';
import { environment } from './command-context.ts';

/** Connects to Temporal, runs `use`, and always closes the connection. */
export async function withClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const client = await connectClient(environment);
  try {
    return await use(client);
  } finally {
    await client.connection.close();
  }
}
