import { isIPv6 } from 'node:net';

/** Whether a text is only a host name or host address. */
export function isHost(text: string): boolean {
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  return isIPv6(bracketed ?? text) || /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?\.?$/.test(text);
}

/** Like `isHost`, with an optional port. */
export function isHostWithPort(text: string): boolean {
  const [, host = '', port] = /^(.*?)(?::(\d{1,5}))?$/.exec(text) ?? [];
  return isHost(host) && (port === undefined || (Number(port) > 0 && Number(port) < 65_536)) && !isIPv6(text);
}

/** Whether a text is an HTTP URL. Rejects backslashes and control characters, which URL parses differently from how people read them. */
export function isHttpUrl(text: string): boolean {
  return /^https?:\/\/[^\\\s\p{Cc}]+$/u.test(text) && URL.canParse(text);
}

export function withoutCredentials(url: URL): string {
  const bare = new URL(url);
  bare.username = bare.password = '';
  return bare.href;
}
