/** The longest beginning of a text that has at most so many bytes in UTF-8; what was cut ends with `…`. */
export function cutBytes(text: string, bytes: number): string {
  const whole = Buffer.from(text);
  if (whole.length <= bytes) return whole.toString();
  // As of a stream that goes on: the first bytes of a character are held back.
  return `${new TextDecoder().decode(whole.subarray(0, bytes - 3), { stream: true })}…`;
}
