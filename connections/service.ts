import { isHttpUrl, withoutCredentials } from '../lib/addresses.ts';
import { encryptedUrl } from '../lib/encryption.ts';
import type { HttpService } from '../lib/http.ts';
import { isLoopback } from '../lib/loopback.ts';
import type { FieldReader, Fields } from './field-reader.ts';
import { decode, serviceFields, type Uri } from './uri.ts';

/** The fields of all types of HTTP services. */
export const SERVICE_FIELDS = {
  url: { description: 'base URL, such as `https://host/base`', secret: 'address', inExpressions: 'string' },
  username: { description: 'user name' },
  password: { description: 'password', secret: 'all' },
  token: { description: 'sent as `Authorization: Bearer …`', isOption: true, secret: 'all' },
  ca_file: {
    description: 'PEM file with trusted certificate authorities; by default those of the machine',
    isOption: true,
  },
  tls: { description: 'whether to encrypt the connection; by default `true`, except on this machine', isOption: true },
} as const;

export function readService({ required, optional, tls, fail }: FieldReader): HttpService {
  const given = required('url');
  if (!isHttpUrl(given)) fail(`'url' is not of the form https://host/base.`);
  const parts = new URL(given);
  const username = optional('username') ?? (parts.username === '' ? undefined : decode(parts.username, fail));
  const password = optional('password') ?? (parts.password === '' ? undefined : decode(parts.password, fail));
  const [token, caFile] = [optional('token'), optional('ca_file')];
  // Errors and logs show the address, so remove the credentials from it.
  const url = encryptedUrl(parts.username === '' && parts.password === '' ? given : withoutCredentials(parts), tls, fail);
  if (caFile !== undefined && !url.startsWith('https:')) fail(`'ca_file' needs a 'url' that begins with https://.`);
  return {
    url,
    ...(username !== undefined && { username, password: password ?? '' }),
    ...(token !== undefined && { token }),
    ...(caFile !== undefined && { ca_file: caFile }),
  };
}

/**
 * Parses `mlflow+https://user:password@host/base` for a service with a scheme of its own. Without `+http` or `+https` in the scheme:
 * encrypted, except on this machine. @param scheme `mlflow`
 */
export function fieldsOfProtocol(scheme: string, uri: Uri): Fields {
  const fields = serviceFields({ ...uri, text: addressOf(scheme, uri.text) });
  // `tls` follows from the scheme.
  return uri.scheme === `${scheme}+http` ? { tls: 'false', ...fields } : fields;
}

function addressOf(scheme: string, text: string): string {
  const address = text.slice(scheme.length).replace(/^\+/, '');
  if (!address.startsWith(':')) return address;
  const secure = `https${address}`;
  return URL.canParse(secure) && isLoopback(new URL(secure).hostname) ? `http${address}` : secure;
}
