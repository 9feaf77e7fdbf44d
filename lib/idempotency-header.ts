/** The header that says which task of which run has written a record, a message or a request. */
export const IDEMPOTENCY_KEY = 'idempotency-key';
