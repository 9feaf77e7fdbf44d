import { isLoopback } from './loopback.ts';

/**
 * Whether a connection is encrypted: to any other host than this one, unless it says otherwise.
 * @param hosts without their ports
 * @param tls what the connection says: `true` or `false`
 */
export function isEncrypted(hosts: readonly string[], tls: boolean | undefined): boolean {
  return tls ?? !hosts.every(isLoopback);
}

/**
 * The address that an HTTP client is given: `http://` to another host becomes `https://`, unless the connection says otherwise.
 * @param fail called for `https://` in clear
 */
export function encryptedUrl(url: string, tls: boolean | undefined, fail: (what: string) => never): string {
  if (url.startsWith('https:'))
    return tls === false ? fail(`'tls' is false and the address begins with https://; leave one of them out.`) : url;
  return secureUrl(url, tls);
}

/** An address of HTTP: `https://` where it is another host's. */
export function secureUrl(url: string, tls?: boolean): string {
  return isEncrypted([new URL(url).hostname], tls) ? url.replace(/^http:/, 'https:') : url;
}

/** An error of a client, with what to do where its server does not speak TLS. */
export function explainClearText(text: string, code?: string): string {
  if (!/wrong version number|packet length too long|record layer failure|EPROTO/i.test(`${code} ${text}`)) return text;
  return `${text}; the server does not seem to speak TLS, and connections to other hosts are encrypted: to send everything in clear, say tls=false in the connection`;
}
