import { DATA_OPERATORS } from './data-operators.ts';
import { FLOW_OPERATORS } from './flow-operators.ts';
import { HTTP_OPERATORS } from './http-operators.ts';
import type { OperatorMapping, OperatorMappings } from './operator-mapping.ts';
import { RABBITMQ_OPERATORS } from './rabbitmq-operators.ts';
import { SENSORS } from './sensors.ts';
import { SQL_OPERATORS } from './sql-operators.ts';

/**
 * The mappings of all operators. To add one: an entry in a table beside this file, and a line in the table of
 * docs/06-coming-from-airflow.md.
 */
export const OPERATORS: OperatorMappings = {
  ...FLOW_OPERATORS,
  ...SQL_OPERATORS,
  ...DATA_OPERATORS,
  ...HTTP_OPERATORS,
  ...RABBITMQ_OPERATORS,
  ...SENSORS,
};

/** Other names of the same operators: from earlier versions, other providers, and deferrable ones. */
export const OPERATOR_ALIASES: Readonly<Record<string, string>> = {
  CheckOperator: 'SQLCheckOperator',
  ValueCheckOperator: 'SQLValueCheckOperator',
  ThresholdCheckOperator: 'SQLThresholdCheckOperator',
  TimeSensorAsync: 'TimeSensor',
  TimeDeltaSensorAsync: 'TimeDeltaSensor',
  DateTimeSensorAsync: 'DateTimeSensor',
  HttpSensorAsync: 'HttpSensor',
  ExternalTaskSensorAsync: 'ExternalTaskSensor',
  S3KeySensorAsync: 'S3KeySensor',
};

/** Modules of Airflow and of its providers. A class of the same name elsewhere may do anything. */
const KNOWN_MODULES = /^(?:airflow|astronomer\.providers|rabbitmq_provider|airflow_provider_rmq)\./;

/** The mapping of an operator, by its class with or without its module. */
export function mappingOf(operator: string): OperatorMapping | undefined {
  const name = className(operator);
  if (name !== operator && !KNOWN_MODULES.test(operator)) return undefined;
  const known = OPERATOR_ALIASES[name] ?? name;
  return Object.hasOwn(OPERATORS, known) ? OPERATORS[known] : undefined;
}

/** `airflow.operators.bash.BashOperator` → `BashOperator`. */
export function className(operator: string): string {
  return operator.replace(/^.*[.:]/, '');
}
