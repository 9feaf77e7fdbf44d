import type { ChannelDefinition } from '../../channels/define-channel.ts';
import type { AlertPlan, AlertsPlan } from '../../workflows/plan/incidents/sla.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import { usualConnection, WAITING } from '../schema/alerts-schema.ts';

/** Resolves the key `alerts` of a file that is valid for its schema. */
export function resolveAlerts(
  alerts: Json | undefined,
  channels: readonly ChannelDefinition[],
): { readonly alerts?: AlertsPlan; readonly waitingAlerts?: AlertsPlan } {
  if (!isMap(alerts)) return {};
  const { [WAITING]: waiting, ...own } = alerts;
  // If only `waiting` is set, the file requests no other alerts.
  const isOnlyWaiting = isMap(waiting) && Object.keys(own).length === 0;
  return {
    ...(!isOnlyWaiting && { alerts: resolveChannels(own, channels) }),
    ...(isMap(waiting) && { waitingAlerts: resolveChannels(waiting, channels) }),
  };
}

function resolveChannels(given: JsonObject, channels: readonly ChannelDefinition[]): AlertsPlan {
  const named = channels.flatMap(({ name }): [string, AlertPlan][] => {
    const keys = given[name];
    if (!isMap(keys)) return [];
    const { conn_id: connection = usualConnection(name), ...settings } = keys;
    return [[name, { connection: String(connection), ...settings }]];
  });
  return Object.fromEntries(named);
}
