import type { TProperties } from 'typebox';
import type { Connection, ConnectionOf, ConnectionType } from '../connections/catalog.ts';
import type { Notice } from '../workflows/plan/incidents/incident.ts';
import type { Severity } from '../workflows/plan/incidents/sla.ts';

/** What a `notify` task sends. */
export interface Message {
  /** Without secrets; at most 32 KiB. */
  readonly text: string;
  readonly severity: Severity;
  /** The same for every attempt of the task in its run. */
  readonly key: string;
  /** Where it comes from, by the names that expressions have for it. */
  readonly from: {
    readonly dag_id: string;
    readonly task: string;
    readonly run_id: string;
    readonly data_interval_start: string;
    readonly data_interval_end: string;
  };
}

/** What was edited in a pipeline. */
export interface EditNote {
  /** One line. */
  readonly summary: string;
  readonly details: object;
}

/** A way to reach people: a key of `alerts`, and a value of `to` in `notify` tasks. */
export interface ChannelDefinition {
  /** Small letters: `slack`. A file that names no connection uses `<name>_default`. Wire data. */
  readonly name: string;
  readonly title: string;
  /** A sentence for documentation and editors. */
  readonly description: string;
  readonly connection: {
    readonly type: ConnectionType;
    /** A sentence: what the connection holds. */
    readonly description: string;
    /** What earlier releases called `conn_id`. */
    readonly formerly?: string;
  };
  /** Keys in `alerts` beside `conn_id`. */
  readonly keys?: TProperties;
  /** Whether an incident's page is sent again when its text has changed. */
  readonly takesUpdates?: boolean;
  /** Delivers one step of an incident. Returns when the channel has accepted it. @throws ChannelError, the signal's reason */
  sendNotice(connection: Connection, notice: Notice, signal: AbortSignal): Promise<void>;
  /** Delivers what a `notify` task sends. @throws ChannelError, the signal's reason */
  sendMessage(connection: Connection, message: Message, signal: AbortSignal): Promise<void>;
  /** Delivers that a pipeline was edited; absent: the channel is not notified of edits. @throws ChannelError, the signal's reason */
  sendEdit?(connection: Connection, edit: EditNote, signal: AbortSignal): Promise<void>;
}

interface DefinitionFor<T extends ConnectionType> extends ChannelDefinition {
  readonly connection: ChannelDefinition['connection'] & { readonly type: T };
  sendNotice(connection: ConnectionOf<T>, notice: Notice, signal: AbortSignal): Promise<void>;
  sendMessage(connection: ConnectionOf<T>, message: Message, signal: AbortSignal): Promise<void>;
  sendEdit?(connection: ConnectionOf<T>, edit: EditNote, signal: AbortSignal): Promise<void>;
}

/**
 * Defines a channel: a file in `channels/`, listed in `channels/catalog.ts`. The key in `alerts`, the value of `to` in `notify` tasks, their
 * checks and the editor's completion follow from it.
 *
 * Defaults: no `keys` beside `conn_id`; the connection `<name>_default`; without `takesUpdates` an incident's page is sent once; without
 * `sendEdit` edits are not announced. A monitor aborts the signal after 8 s and retries what failed, so a notice may arrive twice: its `key` is
 * the same each time. `action` is `trigger`, `update`, `acknowledge`, `resolve`, `warn` or `unwarn`.
 * @param definition see ChannelDefinition for each field
 * @returns the definition, for the catalog
 * @throws nothing itself; the send functions throw ChannelError, which says whether a retry may help
 * @example
 * // channels/teams.ts
 * import { postJson } from '../lib/channels/post-json.ts';
 * import { defineChannel } from './define-channel.ts';
 *
 * export const teams = defineChannel<'http'>({
 *   name: 'teams',
 *   title: 'Teams',
 *   description: 'Write to a channel of Teams.',
 *   connection: { type: 'http', description: 'The connection with the webhook.' },
 *   sendNotice: (connection, { action, page }, signal) => postJson('Teams', connection, { text: `${action}: ${page.summary}` }, signal),
 *   sendMessage: (connection, { text }, signal) => postJson('Teams', connection, { text }, signal),
 * });
 */
export function defineChannel<T extends ConnectionType>(definition: DefinitionFor<T>): DefinitionFor<T> {
  return definition;
}
