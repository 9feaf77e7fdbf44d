import { didYouMean } from './diagnostic.ts';

/** The zone most likely meant by a text: `Berlin` is Europe/Berlin. Undefined if there is none. */
export function zoneHint(text: string): string | undefined {
  if (/^(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?$/i.test(text)) return 'name a place, whose clocks are changed too: Europe/Berlin';
  const wanted = text.toLowerCase().replaceAll(' ', '_');
  const zones = Intl.supportedValuesOf('timeZone');
  const found = zones.find((zone) => zone.toLowerCase().split('/').at(-1) === wanted);
  return found === undefined ? didYouMean(text, zones) : `write ${found}`;
}
