import type { TProperties } from 'typebox';
import type { ConnectionKind, ConnectionOf } from '../connections/catalog.ts';
import type { TypedConnection } from '../connections/define-connection.ts';
import type { Notice } from '../workflows/plan/incidents/incident.ts';
import type { Severity } from '../workflows/plan/incidents/sla.ts';

/** The message of a `notify` task. */
export interface Message {
  /** Without secrets; at most 32 KiB. */
  readonly text: string;
  readonly severity: Severity;
  /** The same for all attempts of the task in its run. */
  readonly key: string;
  /** The source of the message, under the names used in expressions. */
  readonly from: {
    readonly dag_id: string;
    readonly task: string;
    readonly run_id: string;
    readonly data_interval_start: string;
    readonly data_interval_end: string;
  };
}

/** An edit of a pipeline. */
export interface EditNote {
  /** One line. */
  readonly summary: string;
  readonly details: object;
}

/** A way to reach people: a key of `alerts`, and a value of `to` in `notify` tasks. */
export interface ChannelDefinition {
  /** Lower case: `slack`. Default connection: `<name>_default`. Wire data. */
  readonly name: string;
  readonly title: string;
  /** One sentence for documentation and editors. */
  readonly description: string;
  readonly connection: {
    /** A built-in type by name, another by its definition. */
    readonly type: ConnectionKind;
    /** One sentence about the content of the connection. */
    readonly description: string;
    /** The name of `conn_id` in earlier releases. */
    readonly formerly?: string;
  };
  /** Keys in `alerts` in addition to `conn_id`. */
  readonly keys?: TProperties;
  /** Whether an incident's page is sent again after its text has changed. */
  readonly takesUpdates?: boolean;
  /** Delivers one step of an incident. Resolves when the channel has accepted it. @throws ChannelError, the signal's reason */
  sendNotice(connection: TypedConnection, notice: Notice, signal: AbortSignal): Promise<void>;
  /** Delivers the message of a `notify` task. @throws ChannelError, the signal's reason */
  sendMessage(connection: TypedConnection, message: Message, signal: AbortSignal): Promise<void>;
  /** Delivers the edit of a pipeline; absent: the channel gets no edits. @throws ChannelError, the signal's reason */
  sendEdit?(connection: TypedConnection, edit: EditNote, signal: AbortSignal): Promise<void>;
}

/** A definition with the type of its connection. */
export interface DefinitionFor<T extends ConnectionKind> extends ChannelDefinition {
  readonly connection: ChannelDefinition['connection'] & { readonly type: T };
  sendNotice(connection: ConnectionOf<T>, notice: Notice, signal: AbortSignal): Promise<void>;
  sendMessage(connection: ConnectionOf<T>, message: Message, signal: AbortSignal): Promise<void>;
  sendEdit?(connection: ConnectionOf<T>, edit: EditNote, signal: AbortSignal): Promise<void>;
}

/**
 * Defines a channel: a file in `channels/`, listed in `channels/catalog.ts`. The key in `alerts`, the value of `to` in `notify` tasks,
 * their checks and the editor's completion are derived from it.
 *
 * Defaults: no `keys` in addition to `conn_id`; the connection `<name>_default`; without `takesUpdates` an incident's page is sent once;
 * without `sendEdit` edits are not announced. A monitor aborts the signal after 8 s and retries failures, so a notice may arrive twice,
 * with the same `key`. `action` is `trigger`, `update`, `acknowledge`, `resolve`, `warn` or `unwarn`.
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
export function defineChannel<T extends ConnectionKind>(definition: DefinitionFor<T>): DefinitionFor<T> {
  return definition;
}
