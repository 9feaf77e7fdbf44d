import type { Secret } from '../lib/scrubbing/secret-forms.ts';
import { CONNECTIONS, definitionOf } from './catalog.ts';
import type { ConnectionDefinition, TypedConnection } from './define-connection.ts';
import { ConnectionError, parseConnection } from './parse.ts';

/** A path segment of this length with digits is a key, as in Slack's webhooks. */
const KEY_IN_PATH = /^(?=.*\d)[A-Za-z0-9_.~%-]{16,}$/;

/** The secrets of a connection. If it cannot be parsed, everything that may be a secret. */
export function secretsIn(name: string, text: string, catalog: readonly ConnectionDefinition[] = CONNECTIONS): Secret[] {
  try {
    return secretsOfConnection(parseConnection(name, text, catalog), catalog);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return guessedSecrets(text);
  }
}

function secretsOfConnection(connection: TypedConnection, catalog: readonly ConnectionDefinition[]): Secret[] {
  const kinds = definitionOf(connection.type, catalog)?.fields ?? {};
  const fields = Object.entries(connection) as [string, unknown][];
  const user = fields.find(([name]) => name === 'user' || name === 'username' || name === 'access_key_id')?.[1];
  return fields.flatMap(([name, value]): Secret[] => {
    const secret = kinds[name]?.secret;
    if (secret === undefined || typeof value !== 'string') return [];
    if (secret === 'address') return secretsOfAddress(value);
    return [{ value, ...(typeof user === 'string' && { user }) }];
  });
}

/** User, password, query values and keys in the path of a URL. */
export function secretsOfAddress(text: string): Secret[] {
  if (!URL.canParse(text)) return guessedSecrets(text);
  const { username, password, searchParams, pathname, hostname } = new URL(text);
  const user = decoded(username);
  const isHook = /^hooks\.slack(-gov)?\.com$/.test(hostname);
  const segments = pathname.split('/').filter((segment) => KEY_IN_PATH.test(segment) || (isHook && /[A-Z0-9]{8}/.test(segment)));
  return [
    ...(password === '' ? [] : [{ value: decoded(password), user }]),
    ...[...searchParams.values(), ...segments.map(decoded)].map((value) => ({ value })),
  ];
}

/** All parts of a text between separators: any of them may be secret. */
function guessedSecrets(text: string): Secret[] {
  const userinfo = /:\/\/(.*)@/.exec(text)?.[1]?.split(':') ?? [];
  const quoted = [...text.matchAll(/:\s*"((?:[^"\\]|\\.)*)"/g)].map(([, value = '']) => value);
  const query = [...new URLSearchParams(text.split('?')[1] ?? '').values()];
  return [...userinfo, ...userinfo.map(decoded), ...quoted, ...query].filter((value) => value.length >= 6).map((value) => ({ value }));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
