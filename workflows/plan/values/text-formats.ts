import { hasDotSegment } from './dot-segments.ts';
import { parseDuration } from './duration.ts';
import { parseMoment } from '../timetable/moment.ts';
import { isTimeZone } from '../timetable/time-zone.ts';

const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?$/;

/** The `format`s of text in the schema. The compiler and the rendering of task parameters share these checks. */
export const TEXT_FORMATS = {
  duration: (text: string) => (parseDuration(text) ?? 0) > 0,
  'time-zone': isTimeZone,
  'iso-date': (text: string) => ISO_DATE.test(text) && parseMoment(text, 'UTC') !== undefined,
  uri: (text: string) => URL.canParse(text),
  path: (text: string) => !hasDotSegment(text) && !/\p{Cc}/u.test(text),
} as const satisfies Record<string, (text: string) => boolean>;
