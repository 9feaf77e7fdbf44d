import type { Client } from '@temporalio/client';
import type { Environment } from '../../lib/environment.ts';
import { createSlotActivities } from '../pools/slot-activities.ts';
import { createEarlierRunActivities } from '../runs/earlier-run.ts';
import { createIntervalActivities } from '../runs/intervals.ts';
import { createPastActivities } from '../runs/past.ts';
import { createFailureActivities } from './failure-facts.ts';

/** The activities that the interpreter and backfills call, besides those of tasks. @param taskQueue of the worker */
export function createRunActivities(client: Client, environment: Environment, taskQueue: string) {
  return {
    ...createSlotActivities(client, taskQueue),
    ...createIntervalActivities(client, taskQueue),
    ...createPastActivities(client, taskQueue),
    ...createEarlierRunActivities(client),
    ...createFailureActivities(client, environment),
  };
}
