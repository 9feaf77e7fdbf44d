/**
 * A part `.` or `..` of a path: clients of HTTP and file systems take it away, with the part before it. Percent-encoded too, because servers
 * and proxies decode; and before a `;`, which begins parameters of a part.
 */
const DOT_SEGMENT = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?=$|[/\\?#;]|%2f|%5c|%3b)/i;
/** What URLs leave out. */
const LEFT_OUT = /[\t\r\n]/g;

/** Whether a path, or a URL, holds a part that would lead to another path. */
export function hasDotSegment(path: string): boolean {
  return DOT_SEGMENT.test(path.replace(LEFT_OUT, ''));
}
