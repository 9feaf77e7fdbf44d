import { approval } from './approval.ts';
import { camelRoute } from './camel-route.ts';
import { commandTask } from './command.ts';
import type { TaskType } from './define-task.ts';
import { empty } from './empty.ts';
import { evaluateModel } from './evaluate-model.ts';
import { http } from './http.ts';
import { kafkaPublish } from './kafka-publish.ts';
import { notify } from './notify.ts';
import { postgresToS3 } from './postgres-to-s3.ts';
import { promoteModel } from './promote-model.ts';
import { rabbitmqPublish } from './rabbitmq-publish.ts';
import { reconcile } from './reconcile.ts';
import { runPipeline } from './run-pipeline.ts';
import { s3ToRedshift } from './s3-to-redshift.ts';
import { sparkJob } from './spark-job.ts';
import { sql } from './sql.ts';
import { sqlCheck } from './sql-check.ts';
import { trainModel } from './train-model.ts';
import { transform } from './transform.ts';
import { unfinished } from './run/unfinished.ts';
import { waitForHttp } from './wait-for-http.ts';
import { waitForKafka } from './wait-for-kafka.ts';
import { waitForPipeline } from './wait-for-pipeline.ts';
import { waitForS3 } from './wait-for-s3.ts';
import { waitForSql } from './wait-for-sql.ts';
import { waitUntil } from './run/wait-until.ts';

/** All task types, in the order of the documentation. To add one, write its file in this folder and list it here. */
export const CATALOG: readonly TaskType[] = [
  postgresToS3,
  s3ToRedshift,
  sparkJob,
  transform,
  camelRoute,
  sql,
  sqlCheck,
  reconcile,
  http,
  commandTask,
  trainModel,
  evaluateModel,
  promoteModel,
  kafkaPublish,
  rabbitmqPublish,
  waitForKafka,
  waitForS3,
  waitForSql,
  waitForHttp,
  waitForPipeline,
  waitUntil,
  runPipeline,
  approval,
  notify,
  empty,
  unfinished,
];
