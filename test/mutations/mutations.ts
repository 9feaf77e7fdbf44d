/** A fault that somebody could make. */
export interface Mutation {
  readonly rule: string;
  readonly file: string;
  /** Text that stands once in the file. */
  readonly before: string;
  readonly after: string;
}

/** Faults in rules on which data, pages and secrets depend: `npm run test:unit` must notice each. */
export const MUTATIONS: readonly Mutation[] = [
  {
    rule: 'SQL quoting: a quote in a value is doubled',
    file: 'workflows/plan/expressions/sql-template.ts',
    before: 'return text.replaceAll(quote, quote + quote);',
    after: 'return text;',
  },
  {
    rule: 'SQL quoting: a backslash in a value is escaped',
    file: 'workflows/plan/expressions/sql-template.ts',
    before: "return text.includes('\\\\') ? `E'${text.replaceAll('\\\\', '\\\\\\\\')}'` : `'${text}'`;",
    after: "return `'${text}'`;",
  },
  {
    rule: 'SQL quoting: a value inside of quotes is escaped',
    file: 'workflows/plan/expressions/sql-template.ts',
    before: "return doubled(String(value), place === 'text' ? \"'\" : '\"');",
    after: 'return String(value);',
  },
  {
    rule: 'SQL quoting: ident() refuses what no name holds',
    file: 'workflows/plan/expressions/sql-name.ts',
    before: '\\u007f]|--|\\/\\*|\\p{Surrogate}/u.test(name)) {',
    after: '\\u007f]|--|\\/\\*|\\p{Surrogate}/u.test(name) && name === "") {',
  },
  {
    rule: 'commit before start: Kafka, mode each',
    file: 'sensors/kafka/each-record.ts',
    before: '    await starts.done();\n',
    after: '',
  },
  {
    rule: 'commit before start: Kafka, mode batch',
    file: 'sensors/kafka/record-batches.ts',
    before: 'until = await sensor.runs.start(',
    after: 'until = undefined;\n      void sensor.runs.start(',
  },
  {
    rule: 'commit before start: Kafka, mode window',
    file: 'sensors/kafka/record-windows.ts',
    before: '    await starts.done();\n',
    after: '',
  },
  {
    rule: 'commit before start: polled sources',
    file: 'sensors/run/poll.ts',
    before: '      await startFound(context, polled.found);\n      journal.cursor = polled.cursor;\n',
    after: '      journal.cursor = polled.cursor;\n      await startFound(context, polled.found);\n',
  },
  {
    rule: 'commit before start: RabbitMQ, messages with an id',
    file: 'sensors/rabbitmq/deliveries.ts',
    before: "      await runs.start(match.event, match, id ?? '').catch(ifRefused(reject));\n      return channel.ack(message);",
    after: "      channel.ack(message);\n      await runs.start(match.event, match, id ?? '').catch(ifRefused(reject));\n      return;",
  },
  {
    rule: 'commit before start: RabbitMQ, messages without an id',
    file: 'sensors/rabbitmq/delivery-ids.ts',
    before:
      "      while ((await start(idOf(content, number))) === 'other' && !message.fields.redelivered) number++;\n      await acknowledge();",
    after:
      "      await acknowledge();\n      while ((await start(idOf(content, number))) === 'other' && !message.fields.redelivered) number++;",
  },
  {
    rule: 'incident resolve: a monitor reports that a problem is over',
    file: 'monitors/report-findings.ts',
    before: '  await report.reportEnded(findings);\n',
    after: '',
  },
  {
    rule: 'incident resolve: a channel is sent it',
    file: 'workflows/plan/incidents/channel-notices.ts',
    before: "...(open.has('breach') ? (['resolve'] as const) : [])",
    after: '',
  },
  {
    rule: 'incident resolve: it is due while something is open',
    file: 'workflows/plan/incidents/channel-notices.ts',
    before: "if (state === 'over') return open.size > 0;",
    after: "if (state === 'over') return false;",
  },
  {
    rule: 'retry_policy: the first rule that names a failure decides',
    file: 'activities/run/run-task.ts',
    before: "nonRetryable: rule.action === 'fail',",
    after: 'nonRetryable: error.nonRetryable === true,',
  },
  {
    rule: 'retry_policy: the delay of a rule',
    file: 'activities/run/run-task.ts',
    before: '    ...(rule.delayMs !== undefined && { nextRetryDelay: rule.delayMs }),\n',
    after: '',
  },
  {
    rule: 'URL scrubbing: user and password',
    file: 'lib/scrubbing/scrub.ts',
    before: '  [/([a-z][a-z0-9+.-]*:\\/\\/)[^\\s/@\'"]+@/gi, `$1${HIDDEN}@`],\n',
    after: '',
  },
  {
    rule: 'URL scrubbing: signatures in a query',
    file: 'lib/scrubbing/scrub.ts',
    before: '  [/([?&](?:x-amz-signature|x-amz-credential|x-amz-security-token|sig|signature)=)[^&\\s]+/gi, `$1${HIDDEN}`],\n',
    after: '',
  },
  {
    rule: 'URL scrubbing: the path of a webhook',
    file: 'lib/scrubbing/scrub.ts',
    before: '  [/(https?:\\/\\/hooks\\.slack(?:-gov)?\\.com\\/)[^\\s<>|"\'),]+/gi, `$1${HIDDEN}`],\n',
    after: '',
  },
  {
    rule: 'missing runs: a tick without a run is found',
    file: 'monitors/problems.ts',
    before: "        found.push(make({ kind: 'missing', since: due, what: 'has not run: its schedule should have started it' }));",
    after: '        void make;',
  },
  {
    rule: 'missing runs: not of a pipeline that is paused',
    file: 'monitors/problems.ts',
    before: 'if (!paused && !held && !started?.has(interval.start) && now - due >= patience)',
    after: 'if (!held && !started?.has(interval.start) && now - due >= patience)',
  },
];
