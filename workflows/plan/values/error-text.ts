/** An error in words: its message, or its name where it has none; anything else that was thrown as text. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  // Node gives a connection that failed at several addresses no message of its own.
  const [first] = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  return first === undefined ? error.name : errorText(first);
}

/** The error that all others in a chain of causes were caused by. */
export function rootCause(error: unknown): unknown {
  let last = error;
  while (last instanceof Error && last.cause instanceof Error) last = last.cause;
  return last;
}
