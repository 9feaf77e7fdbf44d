import { proxyActivities } from '@temporalio/workflow';

/** What an engineer writes who has no Sluice: the same activity, the same options, in plain code. */
const { work } = proxyActivities<{ work(): Promise<null> }>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '15s',
  retry: { maximumAttempts: 4 },
});

export async function Chain(length: number): Promise<void> {
  for (let task = 0; task < length; task++) await work();
}

export async function FanOut(width: number): Promise<void> {
  await Promise.all(Array.from({ length: width }, () => work()));
}
