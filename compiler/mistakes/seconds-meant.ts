import { isMap } from '../../workflows/plan/values/json.ts';

const SECONDS: readonly (readonly [RegExp, number])[] = [
  [/^s(?:ec(?:ond)?s?)?$/, 1],
  [/^m(?:in(?:ute)?s?)?$/, 60],
  [/^h(?:(?:ou)?rs?)?$/, 3600],
  [/^d(?:ays?)?$/, 86_400],
  [/^w(?:eeks?)?$/, 604_800],
];

/**
 * The seconds that a value of another system means: `90 minutes`, `1:30:00`, `1.5h`, `timedelta(hours=1)`, `{hours: 1}`, 90.
 * @returns undefined if it is not a duration in whole seconds
 */
export function secondsMeant(data: unknown): number | undefined {
  if (typeof data === 'number') return whole(data);
  if (isMap(data)) return sum(Object.entries(data).filter(([unit]) => unit !== '__type__'));
  const text = String(data).trim().toLowerCase();
  const clock = /^(\d{1,3}):([0-5]\d):([0-5]\d)$/.exec(text)?.slice(1).map(Number);
  if (clock) return (clock[0] ?? 0) * 3600 + (clock[1] ?? 0) * 60 + (clock[2] ?? 0);
  const python = /^(?:[\w.]*\.)?timedelta\((.*)\)$/.exec(text)?.[1];
  if (python !== undefined) return sum(python.split(',').map((each) => each.split('=').map((part) => part.trim()) as [string, string]));
  const parts = [...text.replace(/^every\s+/, '').matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)\s*,?\s*/gy)];
  const isWhole = parts.map(([part]) => part).join('').length === text.replace(/^every\s+/, '').length;
  return parts.length > 0 && isWhole ? sum(parts.map(([, amount, unit = '']) => [unit, amount])) : undefined;
}

function sum(amounts: readonly (readonly [unit: string, amount: unknown])[]): number | undefined {
  const seconds = amounts.map(([unit, amount]) => {
    const [, each] = SECONDS.find(([names]) => names.test(unit.toLowerCase())) ?? [];
    return each === undefined ? NaN : Number(amount) * each;
  });
  return amounts.length === 0 ? undefined : whole(seconds.reduce((total, each) => total + each, 0));
}

function whole(seconds: number): number | undefined {
  return Number.isSafeInteger(seconds) && seconds >= 0 ? seconds : undefined;
}
