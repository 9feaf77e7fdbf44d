import type { ErrorObject } from 'ajv';
import { isMap, type Json } from '../../workflows/plan/values/json.ts';
import { schemaTypeInWords } from '../../workflows/plan/values/schema-type-words.ts';
import type { Path, Source } from '../read/source.ts';
import { flowText } from '../schema/shown-example.ts';
import { didYouMean } from './diagnostic.ts';
import { FOREIGN_VALUES } from './foreign-habits.ts';
import { exampleHint, nameOf, type Place } from './place.ts';
import { propertiesOf } from './properties.ts';
import { formOf, formsInWords, LIMITS } from './schema-words.ts';
import { showValue } from './show-value.ts';
import { isMistyped, reportUnknownKey } from './unknown-key.ts';
import { typeHint, unitHint } from './value-hints.ts';

/** Reports an error of ajv in words for analysts. */
export function explainError(source: Source, error: ErrorObject, place: Place): void {
  const inner = pathOf(error.instancePath);
  const path = [...place.path, ...inner];
  const where = `'${nameOf(inner) ?? place.kind}'`;
  const params = error.params as Record<string, unknown>;
  const given = showValue(error.data);
  if (typeof error.data !== 'object' && source.hasReported(path)) return;
  switch (error.keyword) {
    case 'additionalProperties':
      return reportUnknownKey(source, [...path, String(params.additionalProperty)], error, place, inner);
    case 'propertyNames':
      return source.reportKey(
        'SL205',
        [...path, String(params.propertyName)],
        `'${String(params.propertyName)}' is not a valid name here.`,
        'lowercase letters, digits and _, starting with a letter',
      );
    case 'required': {
      const missing = String(params.missingProperty);
      if (source.isReported([...path, missing])) return;
      // An unknown key of a small map most likely stands for the missing one, and its message shows the whole map.
      if (inner.length > 0 && Object.keys(error.data as object).some((key) => !Object.hasOwn(propertiesOf(error), key))) return;
      const { formerly } = propertiesOf(error)[missing] ?? {};
      if (isMistyped(missing, error.data, Object.keys(propertiesOf(error)), formerly)) return; // reported at the misspelled key
      if (formerly !== undefined && isMap(error.data) && formerly in error.data) {
        const old = error.data[formerly];
        const value = typeof old === 'object' ? JSON.stringify(old) : source.textAt([...path, formerly]);
        return source.reportKey(
          'SL202',
          [...path, formerly],
          `'${missing}' is missing in this ${place.kind}; '${formerly}' is a key of every ${place.kind} and has another meaning.`,
          `write \`${missing}: ${value}\` instead of \`${formerly}: ${value}\``,
        );
      }
      const inThis = inner.length === 0 && place.kind !== 'pipeline' && place.kind !== 'file' ? ` in this ${place.kind}` : '';
      return source.reportInside('SL202', path, `'${missing}' is missing${inThis}.`, exampleOf(error, missing));
    }
    case 'type':
      return source.report(
        'SL203',
        path,
        `${where} must be ${schemaTypeInWords(params.type as string | readonly string[])}, not ${typeof error.data === 'number' ? `'${source.textAt(path)}'` : given}.`,
        unitHint(error, inner.at(-1)) ??
          typeHint(error, params.type, source.textAt(path)) ??
          // A scalar's type is clear without an example, and an example would suggest other data; its form is not.
          ([params.type].flat().some((type) => type === 'array' || type === 'object') || hasForm(error)
            ? exampleHint(place, inner)
            : undefined),
      );
    case 'enum':
      return notAllowed(source, path, where, error, params.allowedValues as readonly unknown[]);
    case 'anyOf': {
      // TypeBox writes an enum in this form.
      const allowed = (error.schema as readonly { const?: unknown }[]).map((branch) => branch.const);
      if (!allowed.includes(undefined)) return notAllowed(source, path, where, error, allowed);
      if (source.isReported(path)) return; // a branch has reported the mistake
      return source.report('SL203', path, `${where} must be ${formsInWords(error.schema)}, not ${given}.`, exampleHint(place, inner));
    }
    case 'pattern':
    case 'format':
      return source.report('SL205', path, `${where} is ${given}${formOf(error)}.`, unitHint(error, inner.at(-1)));
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
    case 'minLength':
    case 'maxLength':
    case 'minItems':
    case 'maxItems':
    case 'minProperties':
    case 'uniqueItems':
      return source.report('SL206', path, `${where} must ${LIMITS[error.keyword](Number(params.limit))}; given: ${given}.`);
    default:
      // `oneOf` and similar keywords only repeat what the branch has reported.
      if (!['oneOf', 'allOf', 'if', 'const', 'discriminator'].includes(error.keyword)) {
        source.report('SL205', path, `${where} is ${given}, which matches none of the allowed forms.`, exampleHint(place, inner));
      }
  }
}

/** Whether the key accepts only text of a certain form. */
function hasForm({ parentSchema }: ErrorObject): boolean {
  return parentSchema?.pattern !== undefined || parentSchema?.format !== undefined;
}

function notAllowed(source: Source, path: Path, where: string, error: ErrorObject, allowed: readonly unknown[]): void {
  if (source.isReported(path)) return; // its type is wrong too
  const known = FOREIGN_VALUES[String(path.at(-1))];
  const foreign = known?.[String(error.data)] ?? known?.[String(error.data).toLowerCase().replace(/^.*\./, '')];
  const hint = foreign === undefined ? didYouMean(String(error.data), allowed.map(String)) : `use '${foreign}'`;
  source.report('SL204', path, `${where} is ${showValue(error.data)}; allowed: ${allowed.join(', ')}.`, hint);
}

function exampleOf(error: ErrorObject, key: string): string | undefined {
  const example = propertiesOf(error)[key]?.examples?.[0];
  return example === undefined ? undefined : `for example \`${key}: ${flowText(example as Json)}\``;
}

function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}
