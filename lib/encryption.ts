import { isLoopback } from './loopback.ts';

/**
 * Whether a connection is encrypted: by default, unless all hosts are local.
 * @param hosts without ports
 * @param tls the setting of the connection: `true` or `false`
 */
export function isEncrypted(hosts: readonly string[], tls: boolean | undefined): boolean {
  return tls ?? !hosts.every(isLoopback);
}

/**
 * Returns the address for an HTTP client: `http://` to another host becomes `https://`, unless the connection disables TLS.
 * @param fail called for `https://` with TLS disabled
 */
export function encryptedUrl(url: string, tls: boolean | undefined, fail: (what: string) => never): string {
  if (url.startsWith('https:'))
    return tls === false ? fail(`'tls' is false and the address begins with https://; leave one of them out.`) : url;
  return secureUrl(url, tls);
}

/** An HTTP address, with `https://` for another host. */
export function secureUrl(url: string, tls?: boolean): string {
  return isEncrypted([new URL(url).hostname], tls) ? url.replace(/^http:/, 'https:') : url;
}

/** Explains a client error if the server does not support TLS. */
export function explainClearText(text: string, code?: string): string {
  if (!/wrong version number|packet length too long|record layer failure|EPROTO/i.test(`${code} ${text}`)) return text;
  return `${text}; the server does not seem to speak TLS, and connections to other hosts are encrypted: to send everything in clear, say tls=false in the connection`;
}
