/** The message of an error, or its name if the message is empty; other thrown values as text. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  // When a connection fails at several addresses, Node's AggregateError has an empty message.
  const [first] = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  return first === undefined ? error.name : errorText(first);
}

/** The root of an error's chain of causes. */
export function rootCause(error: unknown): unknown {
  let last = error;
  while (last instanceof Error && last.cause instanceof Error) last = last.cause;
  return last;
}
