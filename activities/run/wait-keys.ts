import Type from 'typebox';
import { duration, flag } from '../../lib/schema-fields.ts';

/** A single check is short. */
export const WAIT_DEFAULTS = { execution_timeout: '5m' } as const;

/** Keys of all waiting tasks. */
export const WAIT_KEYS = {
  poke_interval: Type.Optional(duration('Interval', 'How often it looks. Default: 1m.', '1m')),
  timeout: Type.Optional(duration('Timeout', 'How long it waits. Default: 24h.', '6h')),
  soft_fail: Type.Optional(flag('Soft fail', 'Skipped instead of failed when the time is over. Default: false.', true)),
};
