/** Whether `text` matches `pattern`, in which `*` matches any characters. Runs in time proportional to both lengths. */
export function matchesGlob(text: string, pattern: string): boolean {
  const parts = pattern.split('*');
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return text === pattern;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

/** The common prefix of all texts that match `pattern`. */
export function prefixOfGlob(pattern: string): string {
  return pattern.split('*', 1)[0] ?? '';
}
