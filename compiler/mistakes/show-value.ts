/** Formats a value for messages. */
export function showValue(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = String(value);
  return `'${text.length > 60 ? `${text.slice(0, 59)}…` : text}'`;
}
