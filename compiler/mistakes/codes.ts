/**
 * The stable code of each diagnostic, with its meaning. 1xx: YAML; 2xx: keys and values; 3xx: names and the graph; 4xx: data between tasks;
 * 5xx: expressions; 9xx: not supported yet.
 */
export const CODES = {
  SL100: 'The file is not valid YAML 1.2.',
  SL101: 'A key is repeated in the same map. YAML would keep only one of the two values.',
  SL102: 'A tab is used for indentation. YAML allows only spaces.',
  SL103: 'The file is larger than a pipeline may be (1 MiB).',
  SL104: 'The file expands to more values than allowed, through aliases or nesting. It is rejected before it can exhaust memory.',
  SL105: 'A file must contain one pipeline: one YAML document that is a map of keys.',
  SL106: 'Two braces without quotes. YAML reads `{{ x }}` as a map in a map; an expression needs quotes: "{{ x }}".',
  SL107:
    'A character that only some programs treat as a line end: a single carriage return, or one of the Unicode separators U+2028 and U+2029. Editors and Sluice could read the file differently.',
  SL108: 'The file, or a folder of files, cannot be read.',
  SL109: 'The file has more mistakes than are shown. Correct the shown ones first.',
  SL110: 'Internal error of Sluice in this file; other files are not affected. Please report it.',
  SL111: 'A message that ends before a #: what follows a space and # is a comment in YAML. (A warning.)',
  SL112: 'An alias without its anchor, or a merge (`<<`) of something that is not a map.',
  SL113:
    'The file that a key such as `sql_file`, `xsd_file`, `schema_file`, `route` or `openapi` names cannot be read, or is outside of its folder.',
  SL114: 'A variable (`vars.…`) that the chosen environment does not define, or no environment is chosen.',
  SL115: 'An OpenAPI document that cannot be used, or an operation that it does not have.',
  SL201: 'A key that the pipeline language does not have at this place.',
  SL202: 'A required key is missing.',
  SL203: 'A value has the wrong type.',
  SL204: 'A value is not one of those allowed.',
  SL205: 'A value does not have the required form.',
  SL206: 'A value is too small, too large, too short or too long.',
  SL207: 'A type of task, trigger or resource that does not exist.',
  SL208: 'Keys that exclude each other, or none of several keys of which one is required.',
  SL209: 'A schedule that cannot be used: a cron expression, a preset or a time zone is wrong, or it never fires.',
  SL210: 'A number that would not be stored as written: too large, too long, or with zeros that would be lost. Write it in quotes.',
  SL211: 'A key without effect for tasks of this type, or in a pipeline without a schedule.',
  SL212:
    'A cron expression that is easily misread: a step over all days, such as */2, combined with other days, which schedulers interpret differently; or a step that is longer than its field. (A warning.)',
  SL301: 'Two tasks, two triggers, or two resources of the same type and connection, have the same name.',
  SL302: 'A task depends on a task that does not exist.',
  SL303: 'Tasks depend on each other in a cycle; none of them could ever start.',
  SL304: 'Two files declare the same dag_id.',
  SL305: 'A name that is reserved by Sluice or JavaScript.',
  SL306: 'A task starts a pipeline that does not exist.',
  SL307:
    'Pipelines start each other, or themselves, in a cycle: through tasks, triggers, datasets, or data that tasks write where triggers watch. Runs would start runs endlessly.',
  SL308: 'A task that can never run: it waits for tasks of different cases of one switch, of which one is always skipped.',
  SL309: 'A task waits for something, but no task depends on it. (A warning.)',
  SL310: 'A switch in a file whose tasks run one after the other: the cases need depends_on.',
  SL311: 'A task uses a queue that SLUICE_QUEUES does not allow: its workers may have other connections and permissions.',
  SL312:
    'A deadlock of pools: a task holds slots while it waits for a run that needs slots of the same pool, or of a pool whose slots are held by tasks that wait for the first one.',
  SL313:
    'A task in the middle of a list without dependencies. If any task has `depends_on`, the listed order no longer applies, and tasks without it start at once. (A warning.)',
  SL314: 'A placeholder task: the import could not convert it, and it fails until it is written. (A warning.)',
  SL315: '`undoes` is not possible here: only tasks of on_failure, on_success and finally can undo, and only a task of `tasks`.',
  SL316: 'Pipelines wait for each other to end: none of their runs could ever succeed.',
  SL317:
    'Pipelines start each other, or themselves, in a cycle that only a condition of a trigger or the value of an expression can stop. (A warning.)',
  SL318: 'An owner, a queue, a connection or a dag_id that the policy of the project does not allow in this folder.',
  SL319: 'A pipeline that no file defines, with nearly the name of one that is defined. (A warning: another project may define it.)',
  SL401: 'A task reads data, but no upstream task produces any.',
  SL402: 'A task reads data, and several upstream tasks produce data: the choice is ambiguous.',
  SL403: 'A task reads its data from a different bucket than the one that the upstream task writes to.',
  SL404: 'A task produces data, but the bucket to write to is unknown.',
  SL405: 'A dataset that no pipeline produces. (A warning: another system may produce it.)',
  SL406: 'A connection that this machine does not define. (A warning: the workers may define it.)',
  SL407: 'A model is evaluated on its training data.',
  SL408: 'A connection of the wrong type for this key.',
  SL501: 'An expression that is not valid CEL, or not closed.',
  SL502: 'A name that is not available in expressions here.',
  SL503: 'A value of the wrong type.',
  SL504: 'An expression reads the output of a task that is not upstream: it may not have run yet.',
  SL505: 'A parameter that the pipeline does not declare.',
  SL506: 'An output that the task does not have.',
  SL507: 'An unknown function, an invalid date pattern, or a part of an expression that could take too long.',
  SL508: 'An expression where none is allowed, or braces around an expression that needs none.',
  SL509: 'A secret, or a connection field that expressions cannot read.',
  SL510: 'An expression in SQL at a position where its value cannot be inserted safely.',
  SL511: 'A field that no event of these triggers has.',
  SL901: 'Part of the pipeline language that this release checks but does not support yet. The pipeline is not applied. (A warning.)',
} as const;

export type Code = keyof typeof CODES;

/** Codes of warnings. A file with only warnings can be applied. */
export const WARNINGS: ReadonlySet<Code> = new Set<Code>([
  'SL111',
  'SL212',
  'SL309',
  'SL313',
  'SL314',
  'SL317',
  'SL319',
  'SL405',
  'SL406',
  'SL901',
]);
