import type { QueryDefinition, SignalDefinition, UpdateDefinition } from '@temporalio/common';

// Messages to workflows: a name, which is wire data, and the types of the input and the answer. Workflows pass the definition to
// setHandler(), clients to signal(), query() and executeUpdate(), so both sides have the same types. The values equal those of the
// functions with the same names in @temporalio/workflow, which clients and the kernel cannot import.

/** Defines a signal: a message without a response. */
export function defineSignal<Args extends unknown[]>(name: string): SignalDefinition<Args> {
  return { type: 'signal', name } as SignalDefinition<Args>;
}

/** Defines a query: a read-only request. */
export function defineQuery<Answer, Args extends unknown[] = []>(name: string): QueryDefinition<Answer, Args> {
  return { type: 'query', name } as QueryDefinition<Answer, Args>;
}

/** Defines an update: a message that is validated, recorded in the history, and answered. */
export function defineUpdate<Answer, Args extends unknown[]>(name: string): UpdateDefinition<Answer, Args> {
  return { type: 'update', name } as UpdateDefinition<Answer, Args>;
}
