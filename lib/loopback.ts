import { isIPv4 } from 'node:net';

/** Whether a host, without its port, is this machine, whoever answers for its name: `127.evil.com` is not. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'));
}
