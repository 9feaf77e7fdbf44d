/** The longest beginning of a text that has at most so many bytes in UTF-8; what was cut ends with `…`. */
export function cutBytes(text: string, bytes: number): string {
  const whole = Buffer.from(text);
  if (whole.length <= bytes) return whole.toString();
  // With `stream`, the decoder drops an incomplete character at the end.
  return `${new TextDecoder().decode(whole.subarray(0, bytes - 3), { stream: true })}…`;
}
