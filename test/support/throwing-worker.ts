// A worker whose tasks and sensors throw in callbacks.
import { createActivities } from '../../activities/run/create-activities.ts';
import { surviveCallbackErrors } from '../../lib/callback-errors.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { createLog } from '../../lib/logging.ts';
import { createSensors } from '../../sensors/run/create-sensors.ts';
import { createWorkers, installRuntime, isSdkFailure } from '../../temporal/worker/worker-process.ts';
import { taskDependencies } from './task-dependencies.ts';
import { THROWING_TASKS, THROWING_TRIGGER } from './throwing-tasks.ts';

const log = createLog('worker');
surviveCallbackErrors(log, isSdkFailure);
installRuntime(log);
const workers = await createWorkers(
  process.env,
  [process.env['SLUICE_TASK_QUEUE'] ?? ''],
  (runs) => createActivities(THROWING_TASKS, taskDependencies(process.env, runs)),
  (starts) => createSensors([THROWING_TRIGGER], { connections: connectionsFrom(process.env), starts }),
);
log.info('ready');
await workers.run();
