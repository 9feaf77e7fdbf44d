import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { SearchAttributePair } from '@temporalio/common';
import proto from '@temporalio/proto';
import { OWN_CAUSES } from '../workflows/plan/runs/run.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/plan/runs/search-attributes.ts';

const { IndexedValueType } = proto.temporal.api.enums.v1;
const TYPES = {
  KEYWORD: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  KEYWORD_LIST: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
  DATETIME: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
} as const;

type Name = keyof typeof SEARCH_ATTRIBUTES;

/** Time limit until a server can use registered search attributes, in milliseconds. PostgreSQL needs about 2 s. */
const USABLE_WITHIN_MS = 30_000;
const ASK_EVERY_MS = 200;
/** gRPC's PERMISSION_DENIED. */
const PERMISSION_DENIED = 7;

/** A search attribute that a namespace lacks. */
export interface MissingAttribute {
  readonly name: string;
  readonly type: keyof typeof TYPES;
}

/** Thrown when search attributes are missing and this client may not register them. */
export class SearchAttributesMissing extends Error {
  override readonly name = 'SearchAttributesMissing';
  constructor(namespace: string, missing: readonly MissingAttribute[], cause: unknown) {
    const names = missing.map(({ name, type }) => `${name} (${type})`).join(', ');
    super(
      `The namespace '${namespace}' lacks search attributes, and these credentials may not register them: ${names}. ` +
        `\`sluice setup --print\` prints the commands for an administrator.`,
      { cause },
    );
  }
}

/** Lists Sluice's search attributes that the client's namespace lacks. Read-only. */
export async function missingSearchAttributes(client: Client): Promise<MissingAttribute[]> {
  const { namespace } = client.options;
  const { customAttributes } = await operatorOf(client).listSearchAttributes({ namespace });
  return Object.values(SEARCH_ATTRIBUTES).filter(({ name }) => !(name in (customAttributes ?? {})));
}

/**
 * Registers Sluice's missing search attributes in the client's namespace, and waits until the server uses them.
 * @throws SearchAttributesMissing when that is not allowed
 */
export async function ensureSearchAttributes(client: Client): Promise<void> {
  const missing = await missingSearchAttributes(client);
  if (missing.length > 0) await register(client, missing);
  // Another process may have just registered them.
  await untilUsable(client);
}

/** @throws SearchAttributesMissing */
async function register(client: Client, missing: readonly MissingAttribute[]): Promise<void> {
  const { namespace } = client.options;
  const searchAttributes = Object.fromEntries(missing.map(({ name, type }) => [name, TYPES[type]]));
  try {
    await operatorOf(client).addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    throw (error as { code?: unknown }).code === PERMISSION_DENIED ? new SearchAttributesMissing(namespace, missing, error) : error;
  }
}

/** Waits until queries accept the attributes: a server uses them a moment after registration. */
async function untilUsable(client: Client): Promise<void> {
  const names = Object.values(SEARCH_ATTRIBUTES).map(({ name }) => `${name} IS NOT NULL`);
  // Filtering by one workflow id keeps the query cheap for any number of runs.
  const query = `WorkflowId = "sluice" AND (${names.join(' OR ')})`;
  for (const deadline = performance.now() + USABLE_WITHIN_MS; ; await delay(ASK_EVERY_MS)) {
    try {
      await client.workflow.count(query);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

function operatorOf(client: Client): OperatorService {
  return (client.connection as unknown as { operatorService: OperatorService }).operatorService;
}

interface OperatorService {
  listSearchAttributes(request: { namespace: string }): Promise<{ customAttributes?: Record<string, unknown> | null }>;
  addSearchAttributes(request: { namespace: string; searchAttributes: Record<string, number> }): Promise<unknown>;
}

/** A query condition for runs that no event started: they cover the data of an interval. */
export const NOT_BY_EVENTS = `${SEARCH_ATTRIBUTES.cause.name} IN (${OWN_CAUSES.map((cause) => JSON.stringify(cause)).join(', ')})`;

/** A search attribute with its value, to start a run or create a schedule. */
export function searchAttribute(name: Name, value: string | Date): SearchAttributePair {
  return { key: SEARCH_ATTRIBUTES[name], value } as SearchAttributePair;
}
