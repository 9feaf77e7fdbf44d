import type { Fail, Fields } from './field-reader.ts';

export const ENCODE = 'characters such as @ / # ? : \\ in a user or a password must be percent-encoded.';
const NO_HOST = 'no-host.invalid';

/** The URI of a connection. */
export interface Uri {
  readonly scheme: string;
  readonly text: string;
  readonly fail: Fail;
  /** The options after the `?`; each must be known and appear once. */
  options(query: URLSearchParams): Readonly<Record<string, string>>;
  /** Decodes a part of the URI. */
  decode(part: string): string;
}

/** Parses the URI `text` for a connection type. @param allowed options of the type */
export function uriOf(type: string, scheme: string, text: string, allowed: readonly string[], fail: Fail): Uri {
  // An unencoded character would turn a part of the password into the host, and send the rest of it there.
  if (/^[^?]*[^?/]\/[^?]*@/.test(text.slice(scheme.length + '://'.length)) || /[#\\\s\p{Cc}]/u.test(text))
    return fail(`the URI is not valid; ${ENCODE}`);
  return {
    scheme,
    text,
    fail,
    options(query) {
      const given = [...query.keys()];
      // Do not show them: an unknown option may be a part of a password.
      if (given.some((key) => !allowed.includes(key)))
        fail(`it has an option that is unknown for type ${type}; allowed: ${allowed.join(', ') || 'none'}. Also, ${ENCODE}`);
      const twice = allowed.find((key) => given.filter((each) => each === key).length > 1);
      if (twice !== undefined) fail(`'${twice}' is given more than once.`);
      return Object.fromEntries(query);
    },
    decode: (part) => decode(part, fail),
  };
}

/** Decodes a part of a URI. */
export function decode(part: string, fail: Fail): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return fail('a % in it is not followed by two hexadecimal digits; write %25 for a percent sign.');
  }
}

/** The parts of `scheme://user:password@host:port/path?options`; '' for missing ones. */
export interface ServerParts {
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: string;
  readonly path: string;
  readonly options: Readonly<Record<string, string>>;
}

export function serverParts({ text, fail, decode, options }: Uri): ServerParts {
  // Replace the scheme by `http:`, because URL parses user, port and host only for schemes it knows, and insert a host if there is none, as
  // in `aws://KEY:SECRET@/`. URL drops port 80, the scheme's default; none of these servers listens there.
  const standIn = text.replace(/^[a-z0-9+-]+:\/\//, 'http://').replace(/^(http:\/\/(?:[^/?#]*@)?)(?=[/?#]|$)/, `$1${NO_HOST}`);
  if (!URL.canParse(standIn)) return fail(`the URI is not valid; ${ENCODE}`);
  const url = new URL(standIn);
  return {
    user: decode(url.username),
    password: decode(url.password),
    host: url.hostname === NO_HOST ? '' : url.hostname,
    port: url.port,
    path: decode(url.pathname.slice(1)),
    options: options(url.searchParams),
  };
}

/** The fields of a URI with a server and a database. */
export function databaseFields(uri: Uri): Fields {
  const { path, options, ...server } = serverParts(uri);
  return { ...options, ...server, database: path };
}

/** Parses `https://user:password@host/base?token=…`: the query is not part of the address. */
export function serviceFields({ text, fail, decode, options }: Uri): Fields {
  if (!URL.canParse(text)) return fail(`the URI is not valid; ${ENCODE}`);
  const { protocol, host, pathname, username, password, searchParams } = new URL(text);
  return {
    ...options(searchParams),
    url: `${protocol}//${host}${pathname}`,
    username: decode(username),
    password: decode(password),
  };
}
