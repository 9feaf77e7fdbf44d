/** Kafka's name of a client error, such as `UNKNOWN_TOPIC_OR_PARTITION`; undefined if it does not come from a broker. */
export function kafkaErrorType(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // After its last retry, the client wraps the error.
  return 'type' in error && typeof error.type === 'string' ? error.type : kafkaErrorType(error.cause);
}
