import type { EventShape } from '../../sensors/define-trigger.ts';
import { RUN_NAMES } from '../../workflows/plan/expressions/run-names.ts';
import type { Shape } from '../../workflows/plan/expressions/shape.ts';
import type { Reference } from '../../workflows/plan/expressions/syntax-tree.ts';
import { FAILURE } from '../../workflows/plan/tasks/failure.ts';
import { didYouMean } from '../mistakes/diagnostic.ts';
import { readsWholeFailure } from './expression-language.ts';
import type { ExpressionMistake, MistakeText } from './expression-mistake.ts';
import { type ExpressionScope, OTHER_NAMES, taskOf } from './expression-scope.ts';
import { foreignFailureField, foreignNameHint } from './foreign-names.ts';

/** Checks the names that an expression reads. */
export function nameMistake(references: readonly Reference[], scope: ExpressionScope): ExpressionMistake | undefined {
  for (const reference of references) {
    const mistake = referenceMistake(reference, scope);
    if (mistake) return { ...mistake, start: reference.start, end: reference.end };
  }
  const unguarded = scope.hasFailed === 'maybe' ? unguardedFailure(references) : undefined;
  return (
    unguarded && {
      start: unguarded.start,
      end: unguarded.end,
      code: 'SL502',
      message: `Tasks of \`finally\` also run after successful runs, where 'failure' is null.`,
      hint: `write failure != null ? ${unguarded.path.join('.')} : ${unguarded.path[1] === 'attempts' ? '0' : "'none'"}, or give the task when: failure != null`,
    }
  );
}

function referenceMistake({ path }: Reference, scope: ExpressionScope): MistakeText | undefined {
  const [name = '', field] = path;
  if (Object.hasOwn(RUN_NAMES, name)) return field === undefined ? undefined : fieldOfRunName(name, field);
  if (Object.hasOwn(scope.items, name)) return undefined;
  switch (name) {
    case 'params': {
      if (field === undefined || Object.hasOwn(scope.params, field)) return undefined;
      const declared = Object.keys(scope.params);
      return {
        code: 'SL505',
        message: `The pipeline declares no parameter '${field}'.`,
        hint:
          didYouMean(field, declared) ?? (declared.length > 0 ? `declared: ${declared.join(', ')}` : `declare it: params: {${field}: …}`),
      };
    }
    case 'outputs':
      return outputMistake(path, scope);
    case 'event':
    case 'event_meta':
      return scope.event
        ? eventMistake(path, scope.event)
        : {
            code: 'SL502',
            message: `'${name}' is not available here: this pipeline has no triggers.`,
            hint: 'it exists in pipelines with triggers',
          };
    case 'conn':
      return connectionMistake(path, scope);
    case 'failure':
      return failureMistake(path, scope);
    default:
  }
  const names = [...Object.keys(RUN_NAMES), ...OTHER_NAMES, ...Object.keys(scope.items)];
  return {
    code: 'SL502',
    message: name === 'item' ? "'item' is not available here: the task does not expand over a list." : `Unknown name '${name}'.`,
    hint:
      (scope.outputs.has(name) ? `the output of a task is outputs.${name}` : undefined) ??
      (Object.hasOwn(scope.params, name) ? `a parameter is params.${name}` : undefined) ??
      (name === 'item' ? 'add expand to the task' : undefined) ??
      foreignNameHint(path) ??
      didYouMean(name, names) ??
      `names: ${names.filter((each) => each !== 'item').join(', ')}; put text in quotes`,
  };
}

/** Parts of a time, by the names of fields in Python. */
const TIME_FIELDS: Readonly<Record<string, (time: string) => string>> = {
  year: (time) => `int(date(${time}, "yyyy"))`,
  month: (time) => `int(date(${time}, "M"))`,
  day: (time) => `int(date(${time}, "d"))`,
  hour: (time) => `int(date(${time}, "H"))`,
  minute: (time) => `int(date(${time}, "mm"))`,
  second: (time) => `int(date(${time}, "ss"))`,
  quarter: (time) => `int(date(${time}, "Q"))`,
  date: (time) => `date(${time})`,
  day_of_week: (time) => `dayOfWeek(${time})`,
  weekday: (time) => `dayOfWeek(${time})`,
};

function fieldOfRunName(name: string, field: string): MistakeText {
  const isTime = RUN_NAMES[name as keyof typeof RUN_NAMES] === 'timestamp';
  const part = isTime && Object.hasOwn(TIME_FIELDS, field) ? TIME_FIELDS[field]?.(name) : undefined;
  return {
    code: 'SL506',
    message: `'${name}' is ${isTime ? 'a time' : 'text'} and has no field '${field}'.`,
    hint: part === undefined ? `functions read parts of it: date(${isTime ? name : 'ds'}, "yyyy-MM")` : `write ${part}`,
  };
}

function outputMistake(path: readonly string[], scope: ExpressionScope): MistakeText | undefined {
  if (path.length < 2)
    return { code: 'SL506', message: "'outputs' is not a value; name a task.", hint: 'for example outputs.extract.rows' };
  const task = taskOf(path, scope);
  if (task === undefined) {
    const steps = path.slice(1);
    const isGroup = (length: number): boolean => {
      const group = `${steps.slice(0, length).join('.')}.`;
      return [...scope.outputs.keys()].some((name) => name.startsWith(group));
    };
    // The groups on the path, and the name inside the last of them.
    const depth = steps.findIndex((_, index) => !isGroup(index + 1));
    const given = (depth < 0 ? steps : steps.slice(0, depth + 1)).join('.');
    return {
      code: 'SL504',
      message: depth < 0 ? `'${given}' is a group of tasks; name one of them.` : `No task '${given}' has an output that can be read here.`,
      hint: didYouMean(given, scope.outputs.keys()) ?? `tasks: ${[...scope.outputs.keys()].join(', ')}`,
    };
  }
  const readable = scope.readable(task);
  if (readable !== true)
    return {
      code: 'SL504',
      message: `The output of '${task}' cannot be read here: ${readable}.`,
      hint: `add '${task}' to depends_on, or to that of a task before this one`,
    };
  const inner = path.slice(task.split('.').length + 1);
  let shape = scope.outputs.get(task);
  for (const [index, field] of inner.entries()) {
    if (typeof shape !== 'object' || !('fields' in shape) || Object.keys(shape.fields).length === 0) return undefined;
    if (!Object.hasOwn(shape.fields, field)) {
      const fields = Object.keys(shape.fields);
      return {
        code: 'SL506',
        message: `The output of '${task}' has no '${inner.slice(0, index + 1).join('.')}'.`,
        hint: didYouMean(field, fields) ?? `it has: ${fields.join(', ')}`,
      };
    }
    shape = shape.fields[field];
  }
  return undefined;
}

/** Checks fields that no event of these triggers has. */
function eventMistake([name = '', field]: readonly string[], { value, meta }: EventShape): MistakeText | undefined {
  const fields = name === 'event_meta' ? ['timestamp', ...Object.keys(meta ?? {})] : fieldsOf(value);
  if (field === undefined || !fields || fields.includes(field)) return undefined;
  return {
    code: 'SL511',
    message: `'${name}' has no '${field}' here.`,
    hint: didYouMean(field, fields) ?? `it has: ${fields.join(', ')}`,
  };
}

function fieldsOf(shape: Shape | undefined): readonly string[] | undefined {
  return typeof shape === 'object' && 'fields' in shape ? Object.keys(shape.fields) : undefined;
}

function connectionMistake([, connection, field]: readonly string[], { connections }: ExpressionScope): MistakeText | undefined {
  if (connection === undefined || field === undefined) {
    return {
      code: 'SL509',
      message: "'conn' needs a connection and a field: conn.<name>.<field>.",
      hint: 'for example conn.postgres_default.host',
    };
  }
  const type = connections.typeOf(connection);
  const fields = Object.keys(connections.fieldsOf(type));
  if (fields.includes(field)) return undefined;
  const which = type === undefined ? 'of a connection' : `of '${connection}', a connection of type ${type}`;
  return {
    code: 'SL509',
    message: `Expressions cannot read '${field}' ${which}${/pass|secret|token|key|user/i.test(field) ? ': secrets are never values' : ''}.`,
    hint: didYouMean(field, fields) ?? `they can read: ${fields.join(', ')}`,
  };
}

function failureMistake([, field]: readonly string[], { hasFailed }: ExpressionScope): MistakeText | undefined {
  if (hasFailed === false) {
    return {
      code: 'SL502',
      message: "'failure' is not available here: it is set after the tasks of the run have ended.",
      hint: 'it is available to tasks in on_failure and finally',
    };
  }
  const fields = Object.keys(FAILURE.fields);
  if (field === undefined || fields.includes(field)) return undefined;
  return {
    code: 'SL506',
    message: `'failure' has no '${field}'.`,
    hint: foreignFailureField(field) ?? didYouMean(field, fields) ?? `it has: ${fields.join(', ')}`,
  };
}

/** The first read of a field of `failure` in an expression that does not check whether `failure` is null. */
function unguardedFailure(references: readonly Reference[]): Reference | undefined {
  return readsWholeFailure(references) ? undefined : references.find(({ path }) => path[0] === 'failure');
}
