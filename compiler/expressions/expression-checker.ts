import { type Environment, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import { definitionOf } from '../../connections/catalog.ts';
import { readableFields } from '../../connections/in-expressions.ts';
import { formatMistake } from '../../workflows/plan/expressions/date-format.ts';
import { FAILURE } from '../../workflows/plan/tasks/failure.ts';
import { expressionLanguage } from '../../workflows/plan/expressions/language.ts';
import { RUN_NAMES } from '../../workflows/plan/expressions/run-names.ts';
import type { Shape } from '../../workflows/plan/expressions/shape.ts';
import { celSource, nameMistake } from '../../workflows/plan/expressions/sql-name.ts';
import { type Range, type Reference, syntaxFacts } from '../../workflows/plan/expressions/syntax-tree.ts';
import { parseMoment } from '../../workflows/plan/timetable/moment.ts';
import type { EventShape } from '../../sensors/define-trigger.ts';
import type { Code } from '../mistakes/codes.ts';
import { didYouMean } from '../mistakes/diagnostic.ts';
import { foreignFailureField, foreignFunctionHint, foreignNameHint, foreignSyntaxHint } from './foreign-names.ts';
import { type CelDeclaration, celDeclaration, typeInWords } from './shapes.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

const CONNECTION_FIELDS = readableFields();

/** The names that only some places have. */
export const OTHER_NAMES = ['params', 'outputs', 'item', 'event', 'event_meta', 'conn', 'failure'] as const;

/** How a regular expression would be written here: cel-js runs it with backtracking. */
const REFUSED_CALLS: Readonly<Record<string, string>> = {
  matches: 'use like: "abc".like("a%")',
};

/** Loops in loops cost the product of the lengths of their lists. */
const MAX_LOOPS = 2;

/** What expressions at one place can name. */
export interface ExpressionScope {
  /** The outputs of tasks by name (`group.task` too); those that may be read are `readable`. */
  readonly outputs: ReadonlyMap<string, Shape>;
  /** Whether the output of a task can be read here; else why not. */
  readable(task: string): true | string;
  readonly params: Readonly<Record<string, Shape>>;
  /** Names that loops bind: `item`. */
  readonly items: Readonly<Record<string, Shape>>;
  /** What the events are that may have started the run; undefined: there are none. */
  readonly event: EventShape | undefined;
  /** Whether the run has failed where the expression is evaluated; `maybe`: `failure` may be null. */
  readonly hasFailed: boolean | 'maybe';
  /** The type of a connection; undefined: not known. */
  connectionType(name: string): string | undefined;
}

/** What is wrong with an expression, `start` and `end` being places in it. */
export interface ExpressionMistake extends Range {
  readonly code: Code;
  readonly message: string;
  readonly hint?: string;
}

/** An expression that was checked: its CEL type and what it reads, or what is wrong. */
export type CheckedExpression =
  | { readonly type: string; readonly references: readonly Reference[]; readonly mistake?: undefined }
  | { readonly mistake: ExpressionMistake };

/** Checks one expression at its place: syntax, names, types, cost. */
export function checkExpression(source: string, scope: ExpressionScope): CheckedExpression {
  const known = checkedAnywhere.get(source);
  if (known) return known;
  const checked = checkInScope(source, scope);
  if (!checked.mistake && checked.references.every(({ path }) => isRunName(path[0]))) {
    if (checkedAnywhere.size >= MAX_REMEMBERED) checkedAnywhere.clear();
    checkedAnywhere.set(source, checked);
  }
  return checked;
}

/** Good expressions that name nothing but the run's own, such as `ds`: they are good at every place, and stand at many. */
const checkedAnywhere = new Map<string, CheckedExpression>();
const MAX_REMEMBERED = 500;

function isRunName(name: string | undefined): boolean {
  return name !== undefined && Object.hasOwn(RUN_NAMES, name);
}

function checkInScope(source: string, scope: ExpressionScope): CheckedExpression {
  const whole = { start: 0, end: source.length };
  if (source.trim() === '')
    return { mistake: { ...whole, code: 'SL501', message: 'There is no expression here.', hint: 'for example ds' } };
  let facts;
  try {
    facts = syntaxFacts(baseLanguage().parse(celSource(source)).ast);
  } catch (error) {
    return { mistake: syntaxMistake(error, source) };
  }
  for (const { name, start, end, literals } of facts.calls) {
    const day = takesDates(name) ? literals.find((each) => each !== undefined && isNoDay(each)) : undefined;
    if (day !== undefined)
      return { mistake: { start, end, code: 'SL503', message: `'${day}' names a day or a time that does not exist.` } };
    const noName = name === 'ident' ? literals.map((each) => each !== undefined && nameMistake(each)).find(Boolean) : undefined;
    if (noName) return { mistake: { start, end, code: 'SL510', message: `${noName[0]?.toUpperCase()}${noName.slice(1)}.` } };
    const pattern = name === 'date' ? literals[1] : undefined;
    const mistaken = pattern === undefined ? undefined : formatMistake(pattern);
    if (mistaken) return { mistake: { start, end, code: 'SL507', ...mistaken } };
    const instead = REFUSED_CALLS[name];
    if (instead !== undefined) {
      return {
        mistake: {
          start,
          end,
          code: 'SL507',
          message: `'${name}' could take too long on some texts and is not part of expressions.`,
          hint: instead,
        },
      };
    }
  }
  if (facts.loops > MAX_LOOPS) {
    return {
      mistake: {
        ...whole,
        code: 'SL507',
        message: `Loops are nested ${facts.loops} deep; at most ${MAX_LOOPS} are allowed.`,
        hint: 'use a task for work like this',
      },
    };
  }
  for (const reference of facts.references) {
    const mistake = referenceMistake(reference, scope);
    if (mistake) return { mistake: { ...mistake, start: reference.start, end: reference.end } };
  }
  const unguarded = scope.hasFailed === 'maybe' ? unguardedFailure(facts.references) : undefined;
  if (unguarded) {
    return {
      mistake: {
        start: unguarded.start,
        end: unguarded.end,
        code: 'SL502',
        message: `Tasks of \`finally\` run after good runs too, where 'failure' is null.`,
        hint: `write failure != null ? ${unguarded.path.join('.')} : ${unguarded.path[1] === 'attempts' ? '0' : "'none'"}, or give the task when: failure != null`,
      },
    };
  }
  const checked = languageFor(scope, facts.references).check(celSource(source));
  if (checked.valid) return { type: checked.type ?? 'dyn', references: facts.references };
  return { mistake: typeMistake(checked.error, source) };
}

/** Whether the texts that a function takes name days or times. */
function takesDates(name: string): boolean {
  return name === 'timestamp' || name === 'daysBetween' || name === 'dayOfWeek' || /^(?:date|add|startOf|endOf)/.test(name);
}

function isNoDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?$/.test(text) && parseMoment(text, 'UTC') === undefined;
}

let base: Environment | undefined;

/** For syntax alone; made once a process. */
function baseLanguage(): Environment {
  return (base ??= expressionLanguage(false));
}

let typed: Environment | undefined;

/** A language with the names that these references need, and their types. */
function languageFor(scope: ExpressionScope, references: readonly Reference[]): Environment {
  if (!typed) {
    typed = expressionLanguage(true);
    for (const [name, shape] of Object.entries(RUN_NAMES)) declare(typed, name, celDeclaration(shape));
  }
  const names = new Set(references.map(({ path }) => path[0] ?? ''));
  if ([...names].every(isRunName)) return typed.clone();
  const language = typed.clone();
  for (const [name, shape] of Object.entries(scope.items)) if (names.has(name)) declare(language, name, celDeclaration(shape));
  if (names.has('params')) declare(language, 'params', celDeclaration({ fields: scope.params }));
  if (names.has('outputs')) declare(language, 'outputs', outputsDeclaration(scope, references));
  // A key may bring an event of its own: that of the record it waits for.
  if (names.has('event') && !Object.hasOwn(scope.items, 'event'))
    declare(language, 'event', scope.event?.value ? celDeclaration(scope.event.value) : 'map<string, dyn>');
  if (names.has('event_meta'))
    declare(language, 'event_meta', celDeclaration({ fields: { timestamp: 'timestamp', ...scope.event?.meta } }));
  // Only text and numbers can be compared by type; what may be null is known in a run.
  if (names.has('failure')) declare(language, 'failure', readsWholeFailure(references) ? 'dyn' : celDeclaration(FAILURE));
  if (names.has('conn')) {
    const connections = references.filter(({ path }) => path[0] === 'conn').map(({ path }) => path[1] ?? '');
    const fields = celDeclaration({ fields: CONNECTION_FIELDS });
    declare(language, 'conn', Object.fromEntries(connections.map((name) => [name, fields])));
  }
  return language;
}

function declare(language: Environment, name: string, declaration: CelDeclaration): void {
  if (typeof declaration === 'string') language.registerVariable(name, declaration);
  else language.registerVariable({ name, schema: declaration });
}

function outputsDeclaration(scope: ExpressionScope, references: readonly Reference[]): CelDeclaration {
  const tree: { [field: string]: CelDeclaration } = {};
  for (const { path } of references) {
    if (path[0] !== 'outputs') continue;
    const task = taskOf(path, scope);
    if (task === undefined) continue;
    declareOutput(tree, task.split('.'), celDeclaration(scope.outputs.get(task) ?? 'dyn'));
  }
  return tree;
}

function declareOutput(tree: { [field: string]: CelDeclaration }, [first = '', ...rest]: readonly string[], shape: CelDeclaration): void {
  if (rest.length === 0) {
    tree[first] = shape;
    return;
  }
  const group = { ...(tree[first] as { [field: string]: CelDeclaration } | undefined) };
  declareOutput(group, rest, shape);
  tree[first] = group;
}

/** The task whose output a reference reads. */
export function taskOf(path: readonly string[], { outputs }: Pick<ExpressionScope, 'outputs'>): string | undefined {
  const steps = path.slice(1);
  return steps.map((_, index) => steps.slice(0, index + 1).join('.')).find((name) => outputs.has(name));
}

function referenceMistake({ path }: Reference, scope: ExpressionScope): Omit<ExpressionMistake, 'start' | 'end'> | undefined {
  const [name = '', field] = path;
  if (Object.hasOwn(RUN_NAMES, name) || Object.hasOwn(scope.items, name)) return undefined;
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
            message: `There is no '${name}' here: nothing but the clock and people start this pipeline.`,
            hint: 'it belongs to pipelines with triggers',
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
    message:
      name === 'item' ? "There is no 'item' here: the task does not expand over a list." : `There is no name '${name}' in expressions.`,
    hint:
      (scope.outputs.has(name) ? `the output of a task is outputs.${name}` : undefined) ??
      (Object.hasOwn(scope.params, name) ? `a parameter is params.${name}` : undefined) ??
      (name === 'item' ? 'add expand to the task' : undefined) ??
      foreignNameHint(path) ??
      didYouMean(name, names) ??
      `there are: ${names.filter((each) => each !== 'item').join(', ')}; text stands in quotes`,
  };
}

function outputMistake(path: readonly string[], scope: ExpressionScope): Omit<ExpressionMistake, 'start' | 'end'> | undefined {
  if (path.length < 2) return { code: 'SL506', message: 'outputs is not a value; name a task.', hint: 'for example outputs.extract.rows' };
  const task = taskOf(path, scope);
  if (task === undefined) {
    const steps = path.slice(1);
    const isGroup = (length: number): boolean => {
      const group = `${steps.slice(0, length).join('.')}.`;
      return [...scope.outputs.keys()].some((name) => name.startsWith(group));
    };
    // As far as groups go, and the name in the last of them.
    const depth = steps.findIndex((_, index) => !isGroup(index + 1));
    const given = (depth < 0 ? steps : steps.slice(0, depth + 1)).join('.');
    return {
      code: 'SL504',
      message: depth < 0 ? `'${given}' is a group of tasks; name one of them.` : `There is no task '${given}' whose output could be read.`,
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
  const shape = scope.outputs.get(task);
  const field = path[task.split('.').length + 1];
  if (field === undefined || typeof shape !== 'object' || !('fields' in shape) || Object.keys(shape.fields).length === 0) return undefined;
  if (Object.hasOwn(shape.fields, field)) return undefined;
  const fields = Object.keys(shape.fields);
  return {
    code: 'SL506',
    message: `The output of '${task}' has no '${field}'.`,
    hint: didYouMean(field, fields) ?? `it has: ${fields.join(', ')}`,
  };
}

/** Fields that no event of these triggers has. */
function eventMistake(
  [name = '', field]: readonly string[],
  { value, meta }: EventShape,
): Omit<ExpressionMistake, 'start' | 'end'> | undefined {
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

function connectionMistake(
  [, connection, field]: readonly string[],
  { connectionType }: ExpressionScope,
): Omit<ExpressionMistake, 'start' | 'end'> | undefined {
  if (connection === undefined || field === undefined) {
    return { code: 'SL509', message: 'conn is read as conn.<name>.<field>.', hint: 'for example conn.postgres_default.host' };
  }
  const type = connectionType(connection);
  const definition = definitionOf(type);
  const fields = Object.keys(definition ? readableFields([definition]) : CONNECTION_FIELDS);
  if (fields.includes(field)) return undefined;
  const which = definition ? `of '${connection}', a connection of type ${definition.type}` : 'of a connection';
  return {
    code: 'SL509',
    message: `Expressions cannot read '${field}' ${which}${/pass|secret|token|key|user/i.test(field) ? ': secrets are never values' : ''}.`,
    hint: didYouMean(field, fields) ?? `they can read: ${fields.join(', ')}`,
  };
}

function failureMistake(
  [, field]: readonly string[],
  { hasFailed }: ExpressionScope,
): Omit<ExpressionMistake, 'start' | 'end'> | undefined {
  if (hasFailed === false) {
    return {
      code: 'SL502',
      message: "There is no 'failure' here: it is known when the tasks of the run have ended.",
      hint: 'it belongs to the tasks in on_failure and finally',
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

function readsWholeFailure(references: readonly Reference[]): boolean {
  return references.some(({ path }) => path[0] === 'failure' && path.length === 1);
}

/** Where a field of `failure` is read by an expression that does not look whether there is one. */
function unguardedFailure(references: readonly Reference[]): Reference | undefined {
  return readsWholeFailure(references) ? undefined : references.find(({ path }) => path[0] === 'failure');
}

function syntaxMistake(error: unknown, source: string): ExpressionMistake {
  if (!(error instanceof ParseError)) {
    return {
      start: 0,
      end: source.length,
      code: 'SL501',
      message: `This is not an expression: ${errorText(error)}.`,
    };
  }
  const { start, end } = error.range ?? { start: 0, end: source.length };
  const foreign = foreignSyntaxHint(source);
  const single = /(^|[^=!<>])=([^=]|$)/.exec(source);
  return {
    start,
    end: Math.max(end, start + 1),
    code: 'SL501',
    message: `This is not an expression: ${error.summary ?? error.message}.`,
    ...(foreign !== undefined
      ? { hint: foreign }
      : single
        ? { hint: 'equal is written ==' }
        : /\b(and|or|not)\b/.test(source)
          ? { hint: 'write && for and, || for or, ! for not' }
          : {}),
  };
}

/** `no such overload: int == string` in the analyst's words. */
function typesInWords(summary: string): string {
  const [, left, operator, right] = /^no such overload: (\S+) (\S+) (\S+)$/.exec(summary) ?? [];
  if (left === undefined || operator === undefined || right === undefined) return `The types do not fit: ${summary}.`;
  return `'${operator}' does not work between ${typeInWords(left)} and ${typeInWords(right)}.`;
}

/** The function that was most likely meant, or those that there are. */
function functionHint(summary: string): { hint?: string } {
  const given = /(\w+)\(/.exec(summary)?.[1];
  const names = new Set(
    baseLanguage()
      .getDefinitions()
      .functions.map(({ name }) => name),
  );
  const hint = given === undefined || names.has(given) ? undefined : (foreignFunctionHint(given) ?? didYouMean(given, names));
  return hint === undefined ? {} : { hint };
}

function typeMistake(error: CelTypeError | ParseError | Error | undefined, source: string): ExpressionMistake {
  const whole = { start: 0, end: source.length };
  if (!(error instanceof CelTypeError || error instanceof ParseError)) {
    return { ...whole, code: 'SL503', message: error?.message ?? 'The types in this expression do not fit.' };
  }
  const range = error.range ?? whole;
  const summary = error.summary ?? error.message;
  switch (error.code) {
    case 'no_such_key':
      return { ...range, code: 'SL506', message: `${summary.replace('No such key: ', "There is no field '")}'.` };
    case 'no_matching_overload':
    case 'unknown_function':
      return { ...range, code: 'SL507', message: `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`, ...functionHint(summary) };
    case 'unknown_variable':
      return { ...range, code: 'SL502', message: `${summary}.` };
    default:
      return { ...range, code: 'SL503', message: typesInWords(summary) };
  }
}
