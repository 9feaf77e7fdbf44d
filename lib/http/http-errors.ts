import { explainClearText } from '../encryption.ts';

/** Thrown when an address is outside the origin of the connection, whose credentials must not be sent elsewhere. */
export class ForeignAddress extends Error {
  override readonly name = 'ForeignAddress';
}

/** Thrown when a response is larger than a task may hold. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}

/** Thrown when the bytes of a response do not match its headers: another charset, broken JSON, an unknown compression. */
export class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer';
}

/** Thrown when a service redirects a request that must not be repeated elsewhere, or redirects endlessly. */
export class RedirectRefused extends Error {
  override readonly name = 'RedirectRefused';
}

/** Thrown when the certificate of a service is not trusted, or belongs to another host; and when `ca_file` cannot be read. */
export class CertificateRefused extends Error {
  override readonly name = 'CertificateRefused';
}

/** Thrown when a request is invalid, such as one with a line break in a header. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest';
}

/** Codes of Node and OpenSSL for a certificate chain with an unknown authority. */
const UNKNOWN_AUTHORITY: ReadonlySet<unknown> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
]);

/** Adds the reason to the message of an error of Node's HTTP client. @param origin the target of the request: `https://host` */
export function explainClientError(error: unknown, origin: string): Error {
  // Node tries all addresses of a host and reports an error for each.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!(first instanceof Error)) return new Error(String(first));
  const { code } = first as NodeJS.ErrnoException;
  const text = first.message || code || first.name;
  if (UNKNOWN_AUTHORITY.has(code)) {
    return new CertificateRefused(
      `${origin} shows a certificate that this worker does not trust: ${text}. Set 'ca_file' of its connection to a PEM file on the worker with ` +
        `the certificate of the authority that signed it, or with its own if it is self-signed: ${origin}/?ca_file=/etc/ssl/service-ca.pem.`,
      { cause: first },
    );
  }
  if (code?.startsWith('CERT_') === true || code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new CertificateRefused(
      `${origin} shows a certificate that is not valid for it: ${text}. Correct the address, or renew the certificate.`,
      {
        cause: first,
      },
    );
  }
  if (code === 'ERR_INVALID_HTTP_TOKEN' || code === 'ERR_INVALID_CHAR') return new InvalidRequest(`${text}.`, { cause: first });
  if (code === 'ECONNRESET' && text === 'aborted')
    return new Error('the connection broke off before the answer was complete', { cause: first });
  const explained = explainClearText(text, code);
  return first.message === explained ? first : new Error(explained, { cause: first });
}
