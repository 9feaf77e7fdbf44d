/** Whether a content type is JSON: `application/json`, `text/json`, `application/problem+json; charset=utf-8` (RFC 8259, RFC 6839). */
export function isJsonType(contentType: string): boolean {
  return /^\s*(?:application|text)\/(?:json|[^;\s]+\+json)\s*(?:;|$)/i.test(contentType);
}

/** The charset that a content type declares, with or without quotes (RFC 9110, 8.3.2); undefined if it declares none. */
export function charsetOf(contentType: string): string | undefined {
  const [, quoted, plain] = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i.exec(contentType) ?? [];
  return quoted ?? plain;
}
