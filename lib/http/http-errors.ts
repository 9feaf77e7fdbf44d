import { explainClearText } from '../encryption.ts';

/** Thrown when an address does not belong to the connection, whose credentials are for its own origin only. */
export class ForeignAddress extends Error {
  override readonly name = 'ForeignAddress';
}

/** Thrown when an answer is larger than what a task may hold. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}

/** Thrown when the bytes of an answer are not what its headers say: another charset, broken JSON, an unknown compression. */
export class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer';
}

/** Thrown when a service redirects a request that must not be repeated elsewhere, or redirects without end. */
export class RedirectRefused extends Error {
  override readonly name = 'RedirectRefused';
}

/** Thrown when the certificate of a service is not trusted, or belongs to another host; and when `ca_file` cannot be read. */
export class CertificateRefused extends Error {
  override readonly name = 'CertificateRefused';
}

/** Thrown when a request cannot be sent as it is, such as one with a line break in a header. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest';
}

/** Codes of Node and OpenSSL for a chain that ends at an authority that this machine does not know. */
const UNKNOWN_AUTHORITY: ReadonlySet<unknown> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
]);

/** An error of Node's HTTP client, with the reason in its message. @param origin whom it was sent to: `https://host` */
export function explainClientError(error: unknown, origin: string): Error {
  // Node tries all addresses of a host, and has an error for each.
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
