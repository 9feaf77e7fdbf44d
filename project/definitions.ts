import { CATALOG } from '../activities/catalog.ts';
import type { TaskType } from '../activities/define-task.ts';
import { CHANNELS } from '../channels/catalog.ts';
import type { ChannelDefinition } from '../channels/define-channel.ts';
import { CONNECTIONS } from '../connections/catalog.ts';
import type { ConnectionDefinition } from '../connections/define-connection.ts';
import { RESOURCES } from '../resources/catalog.ts';
import type { ResourceType } from '../resources/define-resource.ts';
import { TRIGGERS } from '../sensors/catalog.ts';
import type { TriggerType } from '../sensors/define-trigger.ts';

/** Everything that pipelines and resource files can name by its type. */
export interface Definitions {
  readonly tasks: readonly TaskType[];
  readonly connections: readonly ConnectionDefinition[];
  readonly triggers: readonly TriggerType[];
  readonly channels: readonly ChannelDefinition[];
  readonly resources: readonly ResourceType[];
}

/** A kind of definition: the name of its folder in a project, and of its list in a plugin. */
export type DefinitionKind = keyof Definitions;

/** The definitions that ship with Sluice. */
export const BUILT_IN: Definitions = {
  tasks: CATALOG,
  connections: CONNECTIONS,
  triggers: TRIGGERS,
  channels: CHANNELS,
  resources: RESOURCES,
};
