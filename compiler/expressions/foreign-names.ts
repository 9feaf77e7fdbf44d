/** Names in the templates of other systems, longest first, with the equivalent here. */
const NAMES: readonly (readonly [name: string, hint: string])[] = [
  ['dag_run.conf', 'a parameter of the run is params.<name>; declare it under params'],
  ['dag_run.run_id', 'write run_id'],
  ['dag_run.logical_date', 'write logical_date'],
  ['dag_run.execution_date', 'write logical_date'],
  ['dag_run', 'a run has run_id, logical_date and params.<name>'],
  ['dag.dag_id', 'write dag_id'],
  ['dag', 'write dag_id for its name'],
  ['macros', 'functions calculate dates: addDays(ds, 1), date(logical_date, "yyyy-MM")'],
  ['var', 'variables are not supported: declare a parameter and write params.<name>'],
  [
    'vars',
    'a variable of an environment stands alone between its braces, {{ vars.<name> }}; in an expression, in quotes: "{{ vars.<name> }}"',
  ],
  ['Variable', 'variables are not supported: declare a parameter and write params.<name>'],
  ['ti.try_number', 'in on_failure and finally write failure.attempts'],
  ['ti.log_url', 'in on_failure and finally write failure.run_url'],
  ['ti.task_id', 'in on_failure and finally the task that failed is failure.task'],
  ['task_instance.try_number', 'in on_failure and finally write failure.attempts'],
  ['task_instance.log_url', 'in on_failure and finally write failure.run_url'],
  ['task_instance.task_id', 'in on_failure and finally the task that failed is failure.task'],
  ['task_instance_key_str', 'in on_failure and finally the task that failed is failure.task'],
  ['exception', 'in on_failure and finally write failure.error'],
  ['error', 'in on_failure and finally write failure.error'],
  ['reason', 'in on_failure and finally write failure.error'],
  ['try_number', 'in on_failure and finally write failure.attempts'],
  ['run_url', 'in on_failure and finally write failure.run_url'],
  ['log_url', 'in on_failure and finally write failure.run_url'],
  ['xcom_pull', 'the output of a task is outputs.<task>'],
  ['ti', 'the output of a task is outputs.<task>'],
  ['task_instance', 'the output of a task is outputs.<task>'],
  ['task', 'the output of a task is outputs.<task>'],
  ['steps', 'the output of a task is outputs.<task>'],
  ['needs', 'the output of a task is outputs.<task>'],
  ['tasks', 'the output of a task is outputs.<task>'],
  ['execution_date', 'write logical_date'],
  ['next_execution_date', 'write data_interval_end'],
  ['prev_execution_date', 'write addDays(logical_date, -1), or prev_ds for its day'],
  ['tomorrow_ds', 'write addDays(ds, 1)'],
  ['yesterday_ds', 'write addDays(ds, -1)'],
  ['yesterday_ds_nodash', 'write date(addDays(ds, -1), "yyyyMMdd")'],
  ['tomorrow_ds_nodash', 'write date(addDays(ds, 1), "yyyyMMdd")'],
  ['prev_ds_nodash', 'write date(prev_ds, "yyyyMMdd")'],
  ['next_ds_nodash', 'write date(next_ds, "yyyyMMdd")'],
  ['ts_nodash', `write date(logical_date, "yyyyMMdd'T'HHmmss")`],
  ['inputs', 'a parameter of the run is params.<name>'],
  ['trigger', 'the event that started a run is event, the start of its interval logical_date'],
  ['execution', 'a run has run_id and logical_date'],
  ['flow', 'write dag_id for the name of the pipeline'],
  ['github', 'a run has run_id, dag_id and params.<name>'],
  ['taskrun', 'the item of a list is item'],
  ['matrix', 'the item of a list is item'],
  ['each', 'the item of a list is item'],
  ['loop', 'the item of a list is item'],
  ['env', 'a setting of a connection is conn.<name>.host; secrets are never values'],
  ['secret', 'secrets are never values: the task names a connection'],
  ['secrets', 'secrets are never values: the task names a connection'],
  ['conf', 'a parameter of the run is params.<name>'],
  ['now', 'expressions have no clock: logical_date is the start of the interval, data_interval_end its end'],
  ['today', 'expressions have no clock: ds is the day of the interval'],
  ['datetime', 'functions calculate dates: addDays(ds, 1), date(logical_date, "yyyy-MM")'],
  ['timedelta', 'functions calculate dates: addDays(ds, 1)'],
  ['None', 'write null'],
  ['True', 'write true'],
  ['False', 'write false'],
];

/** Field names of failures in other systems. */
const FAILURE_FIELDS: Readonly<Record<string, string>> = {
  message: 'error',
  exception: 'error',
  reason: 'error',
  task_id: 'task',
  task_name: 'task',
  name: 'task',
  try_number: 'attempts',
  attempt: 'attempts',
  tries: 'attempts',
  url: 'run_url',
  log_url: 'run_url',
  link: 'run_url',
};

/** Functions of other systems, with the equivalent here. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  ds_add: 'write addDays(ds, 1)',
  ds_format: 'write date(ds, "yyyy-MM-dd")',
  strftime: 'write date(logical_date, "yyyy-MM-dd")',
  format: 'write date(logical_date, "yyyy-MM-dd")',
  date_format: 'write date(logical_date, "yyyy-MM-dd")',
  to_char: 'write date(logical_date, "yyyy-MM-dd")',
  dateAdd: 'write addDays(ds, 1)',
  date_add: 'write addDays(ds, 1)',
  dateadd: 'write addDays(ds, 1)',
  date_trunc: 'write startOfMonth(ds)',
  last_day: 'write endOfMonth(ds)',
  now: 'expressions have no clock: logical_date is the start of the interval, data_interval_end its end',
  today: 'expressions have no clock: ds is the day of the interval',
  len: 'write size(x)',
  length: 'write size(x)',
  count: 'write size(x)',
  str: 'write string(x)',
  float: 'write double(x)',
  replace: 'write x.split("a").join("b")',
  includes: 'write x.contains("a")',
  toUpperCase: 'write x.upperAscii()',
  toLowerCase: 'write x.lowerAscii()',
  substr: 'write x.substring(0, 7)',
  slice: 'write x.substring(0, 7)',
  concat: 'write + to join texts',
  round: 'write int(x), which cuts off the fraction',
  max: 'write x > y ? x : y',
  min: 'write x < y ? x : y',
  weekday: 'write dayOfWeek(ds), from 1 (Monday) to 7',
  getDay: 'write dayOfWeek(ds), from 1 (Monday) to 7',
  day_of_week: 'write dayOfWeek(ds), from 1 (Monday) to 7',
  year: 'write int(date(ds, "yyyy"))',
  month: 'write int(date(ds, "M"))',
  day: 'write int(date(ds, "d"))',
  hour: 'write int(date(logical_date, "H"))',
  dayOfMonth: 'write int(date(ds, "d"))',
  subtractDays: 'write addDays(ds, -1)',
  minusDays: 'write addDays(ds, -1)',
  addSeconds: 'write addMinutes(ts, 1)',
  startOfHour: 'write date(logical_date, "yyyy-MM-dd HH")',
  endOfDay: 'write addDays(startOfDay(logical_date), 1), where the next day begins',
  diffDays: 'write daysBetween(x, y)',
  dateDiff: 'write daysBetween(x, y)',
  date_diff: 'write daysBetween(x, y)',
  datediff: 'write daysBetween(x, y)',
  get: 'write params.<name>, with a default under params',
  always: 'to run whatever happened, put the task under `finally`, or set its `trigger_rule`',
  cancelled: 'to run whatever happened, put the task under `finally`, or set its `trigger_rule`',
  success: 'leave it out: a task runs when those before it have succeeded',
  lower: 'write x.lowerAscii()',
  upper: 'write x.upperAscii()',
  strip: 'write x.trim()',
  default: 'write x != null ? x : "other"',
  coalesce: 'write x != null ? x : "other"',
  ref: 'expressions do not support dbt models: write the name of the table',
  source: 'expressions do not support dbt models: write the name of the table',
  var: 'a parameter is params.<name>',
  env_var: 'secrets are never values, and expressions do not read the environment: a parameter is params.<name>',
  secret: 'secrets are never values: the task names a connection',
  xcom_pull: 'the output of a task is outputs.<task>',
  failure: 'tasks of on_failure run only after a failure; failure.error is its reason',
  errorLogs: 'in on_failure and finally write failure.error',
};

/** The equivalent of another system's name. The longest known prefix of `path` applies. */
export function foreignNameHint(path: readonly string[]): string | undefined {
  const written = path.join('.');
  return NAMES.find(([name]) => written === name || written.startsWith(`${name}.`))?.[1];
}

/** The equivalent of another system's field of a failure. */
export function foreignFailureField(name: string): string | undefined {
  return Object.hasOwn(FAILURE_FIELDS, name) ? `write failure.${FAILURE_FIELDS[name]}` : undefined;
}

/** The equivalent of another system's function. */
export function foreignFunctionHint(name: string): string | undefined {
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
}

/** The equivalent of another language's syntax. */
export function foreignSyntaxHint(source: string): string | undefined {
  if (/\bxcom_pull\b/.test(source)) return 'the output of a task is outputs.<task>';
  if (/\bvar\.(value|json)\b/.test(source)) return 'variables are not supported: declare a parameter and write params.<name>';
  if (/\bmacros\./.test(source)) return 'functions calculate dates: addDays(ds, 1), date(logical_date, "yyyy-MM")';
  if (/\[\s*-?\d*\s*:\s*-?\d*\s*\]/.test(source)) return 'write x.substring(0, 7) for its first seven characters';
  if (/\?\?/.test(source)) return 'write x != null ? x : "other"';
  if (/=~|\smatches\s/.test(source)) return 'write x.like("a%")';
  if (/[!=]==/.test(source)) return 'write == or !=';
  if (/~/.test(source)) return 'write + to join texts';
  if (/(?:^|\W)f["']/.test(source)) return 'write + to join texts: "day " + ds';
  if (/^\s*[$%]|\$\{/.test(source)) return 'names stand alone: ds, params.day';
  if (/\w+\([^)]*\b[a-z]+=[^=]/.test(source)) return 'values have no names in a call: addDays(logical_date, 1)';
  if (/\bloop\b/.test(source)) return 'the item of a list is item';
  if (/(?:^|[^|])\|(?:[^|]|$)/.test(source)) return 'filters are not supported: pass the value to a function, as in date(ds, "yyyyMMdd")';
  if (/\bif\b.*\belse\b/.test(source)) return 'write condition ? x : y';
  if (/\bis\s+(?:not\s+)?(?:none|null|defined)\b/i.test(source)) return 'write x != null, or has(event.x)';
  if (/<>/.test(source)) return 'write != instead';
  return undefined;
}
