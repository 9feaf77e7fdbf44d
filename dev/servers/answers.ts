import { connect } from 'node:net';
import { withinTime } from '../../lib/time-limit.ts';

const PATIENCE_MS = 2_000;

/** Whether the address answers an HTTP request with success, or with any status except a server error if `refusalCounts`. */
export async function answers(url: string, refusalCounts = false): Promise<boolean> {
  try {
    return await withinTime(PATIENCE_MS, undefined, async (signal) => {
      const response = await fetch(url, { signal });
      await response.body?.cancel();
      return response.ok || (refusalCounts && response.status < 500);
    });
  } catch {
    return false;
  }
}

/** Whether a server accepts connections to this port of 127.0.0.1. */
export async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: PATIENCE_MS });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
