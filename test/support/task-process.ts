// A killable worker: runs the attempt that its arguments describe, a task type and a `TaskRun`.
import { CATALOG } from '../../activities/catalog.ts';
import { runTask, type TaskRun } from './run-task.ts';

const [, , type = '', run = '{}'] = process.argv;
const taskType = CATALOG.find((each) => each.type === type);
if (!taskType) throw new Error(`There is no task type ${type}.`);
process.stdout.write(JSON.stringify(await runTask(taskType, JSON.parse(run) as TaskRun)));
