import { dataset } from './dataset.ts';
import type { TriggerType } from './define-trigger.ts';
import { http } from './http.ts';
import { kafka } from './kafka.ts';
import { pipeline } from './pipeline.ts';
import { rabbitmq } from './rabbitmq.ts';
import { s3 } from './s3.ts';
import { sql } from './sql.ts';

/** All trigger types. To add one, write its file in this folder and list it here. */
export const TRIGGERS: readonly TriggerType[] = [kafka, s3, sql, http, dataset, pipeline, rabbitmq];
