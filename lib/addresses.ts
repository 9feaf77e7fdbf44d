import { isIPv6 } from 'node:net';

/** Whether a text is the name or the address of a host, and nothing else. */
export function isHost(text: string): boolean {
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  return isIPv6(bracketed ?? text) || /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?\.?$/.test(text);
}

/** As `isHost`, with or without a port behind it. */
export function isHostWithPort(text: string): boolean {
  const [, host = '', port] = /^(.*?)(?::(\d{1,5}))?$/.exec(text) ?? [];
  return isHost(host) && (port === undefined || (Number(port) > 0 && Number(port) < 65_536)) && !isIPv6(text);
}

/** Whether a text is a URL of HTTP. With a backslash or a control character in it, it would be another one to URL than to its reader. */
export function isHttpUrl(text: string): boolean {
  return /^https?:\/\/[^\\\s\p{Cc}]+$/u.test(text) && URL.canParse(text);
}

export function withoutCredentials(url: URL): string {
  const bare = new URL(url);
  bare.username = bare.password = '';
  return bare.href;
}
