import type { OperatorRequest } from '../../workflows/plan/runs/decision.ts';

/** The paused sensors of a deleted pipeline, by trigger. Persisted as JSON in the memo of its Schedule's action. */
export type PausedSensors = Readonly<Record<string, OperatorRequest>>;

const MEMO = 'sluice_paused_sensors';

export function pausedSensorsMemo(paused: PausedSensors | undefined): Record<string, unknown> {
  return paused ? { [MEMO]: paused } : {};
}

export function readPausedSensors(memo: Record<string, unknown> | undefined): PausedSensors | undefined {
  return memo?.[MEMO] as PausedSensors | undefined;
}

/** The memo of an action with the pause of one sensor added, replaced or, without a request, removed. */
export function withSensorPause(
  memo: Record<string, unknown> | undefined,
  trigger: string,
  request: OperatorRequest | undefined,
): Record<string, unknown> {
  const others = Object.entries(readPausedSensors(memo) ?? {}).filter(([name]) => name !== trigger);
  const paused = Object.fromEntries([...others, ...(request ? [[trigger, request] as const] : [])]);
  const rest = Object.fromEntries(Object.entries(memo ?? {}).filter(([key]) => key !== MEMO));
  return { ...rest, ...(Object.keys(paused).length > 0 && pausedSensorsMemo(paused)) };
}
