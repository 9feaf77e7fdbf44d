import type { Definitions } from './definitions.ts';

/** The plugin interfaces that this release supports; a plugin names the one that it was written for. */
export const PLUGIN_API: { readonly from: number; readonly to: number } = { from: 1, to: 1 };

/** Definitions that a package adds to projects. */
export interface Plugin extends Definitions {
  /** The name of its package, for messages. */
  readonly name: string;
  readonly api: number;
}

/** A plugin as its package writes it: lists that it has none of may be left out. */
export interface PluginDefinition extends Partial<Definitions> {
  readonly name: string;
  readonly api: 1;
}

/**
 * Defines a plugin: the default export of a package that adds task types, connection types, triggers, channels or resource types to projects. A project
 * lists it in the `plugins` of its sluice.config.ts.
 * @param definition `name`: the package; `api`: 1. Default of each list: empty
 * @returns the plugin
 * @throws nothing itself; loading a project refuses a plugin whose `api` this release does not support, and names that are defined twice
 * @example
 * import { definePlugin } from 'sluice';
 * import { copyInto } from './copy-into.ts';
 * import { snowflake } from './snowflake.ts';
 *
 * export default definePlugin({ name: 'sluice-snowflake', api: 1, tasks: [copyInto], connections: [snowflake] });
 */
export function definePlugin(definition: PluginDefinition): Plugin {
  return { tasks: [], connections: [], triggers: [], channels: [], resources: [], ...definition };
}
