/** Cuts a text to at most `bytes` bytes of UTF-8; a cut text ends with `…`. */
export function cutBytes(text: string, bytes: number): string {
  const whole = Buffer.from(text);
  if (whole.length <= bytes) return whole.toString();
  // With `stream`, the decoder drops an incomplete character at the end.
  return `${new TextDecoder().decode(whole.subarray(0, bytes - 3), { stream: true })}…`;
}
