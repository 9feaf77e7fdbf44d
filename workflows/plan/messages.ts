import type { QueryDefinition, SignalDefinition, UpdateDefinition } from '@temporalio/common';

// Messages that workflows take: a name, which is wire data, with the types of what is sent and of what is answered. Workflows give the
// definition to setHandler(), clients to signal(), query() and executeUpdate(): the types of both sides follow from it. These are the values
// that the functions of @temporalio/workflow of the same names make; clients and the kernel cannot import those.

/** Defines a signal: a message without an answer. */
export function defineSignal<Args extends unknown[]>(name: string): SignalDefinition<Args> {
  return { type: 'signal', name } as SignalDefinition<Args>;
}

/** Defines a query: a question whose answer changes nothing. */
export function defineQuery<Answer, Args extends unknown[] = []>(name: string): QueryDefinition<Answer, Args> {
  return { type: 'query', name } as QueryDefinition<Answer, Args>;
}

/** Defines an update: a message that is checked, stays in the history, and is answered. */
export function defineUpdate<Answer, Args extends unknown[]>(name: string): UpdateDefinition<Answer, Args> {
  return { type: 'update', name } as UpdateDefinition<Answer, Args>;
}
