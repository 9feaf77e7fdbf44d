/** The header that identifies the task and run that wrote a record, a message or a request. */
export const IDEMPOTENCY_KEY = 'idempotency-key';
