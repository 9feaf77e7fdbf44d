import { type Convert, textMap, argv, map, pipeline, truth } from '../argument-converters.ts';
import { adaptName } from '../names.ts';
import type { OperatorMapping, OperatorMappings } from './operator-mapping.ts';

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

/** Task names, as `switch` uses them. */
const tasks =
  (key: string): Convert =>
  (value) => ({ keys: { [key]: [value].flat().map((each) => adaptName(String(each), 'task')) } });

/** The logical date of a run that is started: here it always has the interval of the run that starts it. */
const sameInterval: Convert = (value) =>
  typeof value === 'string' && /^\{\{ (?:logical_date|data_interval_start|ts|ds) \}\}$/.test(value.trim())
    ? { keys: {} }
    : { lost: 'is another date: a run that is started has the data interval of this one; pass the date as a parameter' };

const EMPTY: OperatorMapping = { type: 'empty', arguments: {} };

/** Operators that control the flow or run programs. */
export const FLOW_OPERATORS = {
  EmptyOperator: EMPTY,
  DummyOperator: EMPTY,
  LatestOnlyOperator: { ...EMPTY, defaults: { latest_only: true } },
  BashOperator: {
    type: 'command',
    arguments: { bash_command: argv, env: textMap('env') },
    ignored: ['append_env', 'output_encoding'],
    needs: ['argv'],
    // A program may write or delete by paths relative to its folder.
    essential: ['cwd'],
  },
  TriggerDagRunOperator: {
    type: 'run_pipeline',
    arguments: {
      trigger_dag_id: pipeline('dag_id'),
      conf: map('params'),
      wait_for_completion: truth('wait'),
      logical_date: sameInterval,
      execution_date: sameInterval,
    },
    ignored: ['deferrable', 'poke_interval'],
    needs: ['dag_id'],
    essential: ['logical_date', 'execution_date'],
    defaults: { wait: false },
    note: 'the run has the data interval of this one; in Airflow, where no logical_date is given, it has the time at which it is started',
  },
  BranchDayOfWeekOperator: {
    type: 'empty',
    guards: true,
    arguments: {
      week_day: (value) => {
        const days = [value].flat().map((each) => WEEKDAYS.indexOf(String(each).trim().toLowerCase()) + 1);
        return days.includes(0) ? { lost: 'names days that are none' } : { keys: { when_day: days } };
      },
      follow_task_ids_if_true: tasks('if_true'),
      follow_task_ids_if_false: tasks('if_false'),
    },
    ignored: ['use_task_execution_day', 'use_task_logical_date'],
    needs: ['when_day', 'if_true', 'if_false'],
    note: 'the day is the one of the data interval',
    finish: ({ when_day: days, if_true: yes, if_false: no, ...rest }) => ({
      ...rest,
      switch: { on: `dayOfWeek(ds) in ${JSON.stringify(days)}`, cases: { true: yes ?? [], false: no ?? [] } },
    }),
  },
} as const satisfies OperatorMappings;
