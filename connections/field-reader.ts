import { isHost, isHttpUrl } from '../lib/addresses.ts';

/** The fields of a connection as given, before they are checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** Reports that a connection is invalid. @param what a sentence without any value that may be secret @throws ConnectionError */
export type Fail = (what: string) => never;

/** Reads the fields of a connection one by one. Each function fails for a value in the wrong format. */
export interface FieldReader {
  readonly fail: Fail;
  /** A text; undefined if it is missing or empty. */
  optional(key: string): string | undefined;
  required(key: string): string;
  oneOf<T extends string>(key: string, allowed: readonly T[], otherwise: T): T;
  /** The field `host`: a name or an address, without characters that would change the target. */
  host(): string;
  /** The field `port`. */
  port(otherwise: number): number;
  /** The field `tls`: whether the connection is encrypted; undefined if not given. */
  readonly tls: boolean | undefined;
  /** Texts that may end with `*`; undefined if the field is missing. */
  patterns(key: string): readonly string[] | undefined;
  /** A URL without user and password. */
  address(key: string): string | undefined;
}

export function readerOf(fields: Fields, fail: Fail): FieldReader {
  const optional = (key: string): string | undefined => {
    const value = fields[key];
    return value === undefined || value === '' ? undefined : typeof value === 'string' ? value : String(value);
  };
  const required = (key: string): string => optional(key) ?? fail(`'${key}' is missing.`);
  const oneOf = <T extends string>(key: string, allowed: readonly T[], otherwise: T): T => {
    const value = optional(key) ?? otherwise;
    return allowed.find((each) => each === value) ?? fail(`'${key}' is '${value}'; allowed: ${allowed.join(', ')}.`);
  };
  return {
    fail,
    optional,
    required,
    oneOf,
    host() {
      const host = required('host');
      return isHost(host) ? host.replace(/^\[|\]$/g, '') : fail(`'host' must be a host name or an IP address.`);
    },
    port(otherwise) {
      const port = Number(optional('port') ?? otherwise);
      return Number.isInteger(port) && port > 0 && port < 65_536 ? port : fail(`'port' must be a whole number from 1 to 65535.`);
    },
    tls: optional('tls') === undefined ? undefined : oneOf('tls', ['true', 'false'], 'true') === 'true',
    patterns(key) {
      const value = fields[key];
      if (value === undefined) return undefined;
      const isList = Array.isArray(value) && value.every((each) => typeof each === 'string' && /^[^*]+\*?$/.test(each));
      return isList ? (value as string[]) : fail(`'${key}' must be a list of texts; a * is only allowed at the end of a text.`);
    },
    address(key) {
      const url = optional(key);
      if (url === undefined || (isHttpUrl(url) && !new URL(url).username && !new URL(url).password)) return url;
      return fail(`'${key}' must be a URL without user and password.`);
    },
  };
}
