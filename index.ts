/** The public API: what `import { … } from 'sluice'` gives to a team's own task types, connections, triggers, channels and plugins. */
export { Type, type Static, type TSchema } from 'typebox';
/** Parameters that most definitions share: `fields.text(…)`, `fields.duration(…)`. */
export * as fields from './lib/schema-fields.ts';

export {
  type ConnectionNeeds,
  type DataHandOver,
  defineTask,
  type ParamMistake,
  type TaskContext,
  type TaskType,
} from './activities/define-task.ts';
export { notYet, orNotYet, platformFault, userFault } from './activities/run/errors.ts';
export type { PlatformFaultType, UserFaultType } from './activities/run/failure-types.ts';
/** The keys of a waiting task, and its defaults: see `waits` of TaskType. */
export { WAIT_DEFAULTS, WAIT_KEYS } from './activities/run/wait-keys.ts';

export {
  type ConnectionDefinition,
  type ConnectionField,
  defineConnection,
  type TypedConnection,
} from './connections/define-connection.ts';
export type { FieldReader } from './connections/field-reader.ts';
export type { Connection, ConnectionKind, ConnectionOf, ConnectionType } from './connections/catalog.ts';

export {
  defineTrigger,
  type EventShape,
  type Sensor,
  type SensorContext,
  type SensorIdentity,
  type TriggerType,
} from './sensors/define-trigger.ts';
export { type Finding, type PolledSource, type PollResult, pollSource } from './sensors/run/poll.ts';
/** The error of a sensor that only a person can repair. */
export { stopped as sensorStopped } from './sensors/run/sensor-stopped.ts';
export { cannotReset, resetToTime, type TimeCursor } from './sensors/run/time-cursor.ts';

export {
  defineResource,
  type KeyMistake,
  type ResourceName,
  type ResourceServer,
  type ResourceType,
  type SecretReader,
} from './resources/define-resource.ts';
export { type Difference, type Fields, type FieldValue, Hidden } from './resources/fields.ts';

export { defineConfig, type FolderPolicy, type Policy, type ProjectConfig } from './project/define-config.ts';
export { definePlugin, type Plugin, type PluginDefinition } from './project/define-plugin.ts';

export { type ChannelDefinition, defineChannel, type EditNote, type Message } from './channels/define-channel.ts';
export { ChannelError } from './lib/channels/channel-error.ts';
export { postJson } from './lib/channels/post-json.ts';
export type { Notice } from './workflows/plan/incidents/incident.ts';

/** Calls the service of an `http` connection: with its credentials, only at its origin. */
export { callHttp, type HttpAnswer, type HttpCall, type HttpService } from './lib/http.ts';
export type { Json, JsonObject } from './workflows/plan/values/json.ts';
