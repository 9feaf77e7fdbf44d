import { isIPv4 } from 'node:net';

/** Whether a host without a port is this machine. Does not resolve names: `127.evil.com` is not loopback. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'));
}
