/**
 * A segment `.` or `..` of a path: HTTP clients and file systems resolve it. Also matches percent-encoded dots, because servers and proxies
 * decode them, and dots before a `;`, which starts the parameters of a segment.
 */
const DOT_SEGMENT = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?=$|[/\\?#;]|%2f|%5c|%3b)/i;
/** Characters that URL parsers remove. */
const LEFT_OUT = /[\t\r\n]/g;

/** Whether a path or URL contains a segment that would lead to another path. */
export function hasDotSegment(path: string): boolean {
  return DOT_SEGMENT.test(path.replace(LEFT_OUT, ''));
}
