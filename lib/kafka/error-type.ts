/** Kafka's own name of what an error of the client is about, such as `UNKNOWN_TOPIC_OR_PARTITION`; undefined when no broker has said so. */
export function kafkaErrorType(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // Out of retries, the client wraps what it has met last.
  return 'type' in error && typeof error.type === 'string' ? error.type : kafkaErrorType(error.cause);
}
