import { NativeConnection } from '@temporalio/worker';
import type { Environment } from '../../lib/environment.ts';
import { temporalSettings, unavailable } from '../connect.ts';

/**
 * Opens a connection for workers, like `connectClient`.
 * @throws TemporalUnavailable
 */
export async function connectWorker(environment: Environment): Promise<{ connection: NativeConnection; namespace: string }> {
  const { connectionOptions, namespace } = temporalSettings(environment);
  try {
    return { connection: await NativeConnection.connect(connectionOptions), namespace };
  } catch (error) {
    throw unavailable(connectionOptions.address, error);
  }
}
