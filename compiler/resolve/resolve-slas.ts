import { parseDuration } from '../../workflows/plan/values/duration.ts';
import type { CalendarPlan } from '../../workflows/plan/timetable/calendar.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { SchedulePlan } from '../../workflows/plan/timetable/schedule.ts';
import {
  MAX_SLAS,
  type Severity,
  type SlaPlan,
  type SlaCondition,
  type Suppression,
  type WarnAt,
} from '../../workflows/plan/incidents/sla.ts';
import { type SlaReference, slaReference } from '../../workflows/plan/incidents/sla-references.ts';
import { calendarOf } from './resolve-schedule.ts';
import type { Path, Source } from '../read/source.ts';
import type { TaskNode } from './task-node.ts';

const SLA_KEYS = ['within', 'by', 'assert'] as const;

/** The SLAs of a pipeline and its tasks, for monitors. */
export function resolveSlas(source: Source, value: JsonObject, nodes: readonly TaskNode[], schedule: SchedulePlan | null): SlaPlan[] {
  const slas = slasOf(source, value.sla, ['sla'], schedule);
  const ofTasks = nodes.flatMap(({ name, keys, path }) =>
    name === undefined ? [] : slasOf(source, keys.sla, [...path, 'sla'], schedule, name),
  );
  const all = [...slas, ...ofTasks];
  if (all.length > MAX_SLAS) {
    const first = nodes.find(({ keys }) => keys.sla !== undefined);
    const path = slas.length > 0 || !first ? ['sla'] : [...first.path, 'sla'];
    source.report(
      'SL206',
      path,
      `The pipeline has ${all.length.toLocaleString('en')} SLAs with those of its tasks; at most ${MAX_SLAS.toLocaleString('en')} are allowed.`,
      'keep those that require an alert, or split the pipeline',
    );
  }
  return all;
}

function slasOf(source: Source, keys: Json | undefined, path: Path, schedule: SchedulePlan | null, task?: string): SlaPlan[] {
  const of = task === undefined ? {} : { task };
  if (isMap(keys)) {
    const ms = parseDuration(String(keys.max_duration));
    return ms === undefined
      ? []
      : [{ name: 'max_duration', ...of, promise: { kind: 'within', ms, reference: 'started_at' }, suppressWhen: [] }];
  }
  const names = new Set<string>();
  return (Array.isArray(keys) ? (keys as readonly Json[]) : []).flatMap((sla, index) => {
    if (!isMap(sla)) return [];
    const at = [...path, index];
    const name = String(sla.name);
    if (names.has(name)) source.report('SL301', [...at, 'name'], `Two SLAs are named '${name}'.`, 'give each a different name');
    names.add(name);
    const promise = slaConditionOf(source, sla, at, schedule !== null, task);
    const calendar = resolveCalendar(source, sla, at, schedule);
    return promise === undefined
      ? []
      : [
          {
            name,
            ...of,
            ...(typeof sla.dataset === 'string' && { dataset: sla.dataset }),
            promise,
            ...(calendar && { calendar }),
            ...restOf(sla),
          },
        ];
  });
}

function slaConditionOf(
  source: Source,
  sla: JsonObject,
  path: Path,
  isScheduled: boolean,
  task: string | undefined,
): SlaCondition | undefined {
  const given = SLA_KEYS.filter((key) => sla[key] !== undefined);
  if (given.length !== 1) {
    const what = given.length === 0 ? 'has no condition' : `has several conditions: ${given.join(', ')}`;
    source.report('SL208', path, `SLA '${String(sla.name)}' ${what}.`, 'write one of within, by and assert');
    return undefined;
  }
  const { reference } = sla;
  const countsFrom = slaReference(String(reference))?.of;
  if (reference !== undefined && sla.within === undefined) {
    source.reportKey('SL208', [...path, 'reference'], '`reference` is only used with `within`.', 'remove it, or add `within`');
  }
  if (sla.warn_at !== undefined && sla.assert !== undefined) {
    source.reportKey('SL208', [...path, 'warn_at'], '`warn_at` has no effect on a condition.', 'remove it');
  }
  if (sla.dataset !== undefined && sla.assert !== undefined) {
    source.reportKey('SL208', [...path, 'dataset'], 'A condition is about outputs, not about a dataset.', 'remove it');
  }
  if (sla.dataset !== undefined && reference !== undefined) {
    source.reportKey(
      'SL208',
      [...path, 'reference'],
      '`reference` has no effect: the freshness of a dataset counts from its last update.',
      'remove it',
    );
  }
  if (task !== undefined && (sla.dataset !== undefined || sla.assert !== undefined || countsFrom === 'pipeline')) {
    const key = sla.dataset !== undefined ? 'dataset' : sla.assert !== undefined ? 'assert' : 'reference';
    source.reportKey(
      'SL208',
      [...path, key],
      `This SLA is not possible for a task, only for a pipeline.`,
      'move it to `sla` of the pipeline',
    );
  }
  if (!isScheduled && (sla.by !== undefined || countsFrom === 'interval')) {
    const key = sla.by === undefined ? 'reference' : 'by';
    source.reportKey('SL208', [...path, key], 'The pipeline has no schedule, so its runs have no due time.', 'use started_at or queued_at');
  }
  if (typeof sla.assert === 'string') return { kind: 'assert', condition: sla.assert };
  if (typeof sla.by === 'string') return { kind: 'by', time: sla.by };
  const ms = parseDuration(String(sla.within));
  const usual = sla.dataset === undefined ? 'started_at' : 'previous_success';
  return ms === undefined ? undefined : { kind: 'within', ms, reference: (reference ?? usual) as SlaReference };
}

function resolveCalendar(
  source: Source,
  { calendar, assert }: JsonObject,
  path: Path,
  schedule: SchedulePlan | null,
): CalendarPlan | undefined {
  if (calendar === undefined) return undefined;
  if (assert !== undefined) {
    source.reportKey('SL208', [...path, 'calendar'], '`calendar` has no effect on a condition.', 'remove it');
  }
  if (isMap(calendar) && calendar.on_holiday !== undefined) {
    source.reportKey(
      'SL208',
      [...path, 'calendar', 'on_holiday'],
      "'on_holiday' only applies to runs: a deadline always skips excluded days.",
      'remove it',
    );
  }
  if (calendar !== 'schedule') return isMap(calendar) ? calendarOf(calendar) : undefined;
  if (!schedule?.calendar) {
    source.reportKey(
      'SL208',
      [...path, 'calendar'],
      'The schedule has no calendar for this deadline.',
      'give `schedule` a calendar, or write it here: `calendar: {business_days: true}`',
    );
  }
  return schedule?.calendar;
}

function restOf({ severity, warn_at: warnAt, suppress_when: suppressWhen, runbook }: JsonObject): Omit<SlaPlan, 'name' | 'promise'> {
  const warning = typeof warnAt === 'string' ? warnAtOf(warnAt) : undefined;
  return {
    ...(typeof severity === 'string' && { severity: severity as Severity }),
    ...(warning && { warnAt: warning }),
    suppressWhen: (Array.isArray(suppressWhen) ? suppressWhen : []) as readonly Suppression[],
    ...(typeof runbook === 'string' && { runbook }),
  };
}

function warnAtOf(text: string): WarnAt | undefined {
  const part = /^(\d+)%$/.exec(text)?.[1];
  if (part !== undefined) return { part: Number(part) / 100 };
  const afterMs = parseDuration(text);
  return afterMs === undefined ? undefined : { afterMs };
}
