import Type from 'typebox';
import { declareTask } from './define-task.ts';

/** Waits until people have approved. */
export const approval = declareTask({
  type: 'approval',
  runtime: 'interpreter',
  description: 'Waits until people have approved. Rejected, it is skipped, and what follows with it.',
  summary: ({ prompt }) => prompt,
  params: Type.Object({
    prompt: Type.String({ minLength: 1, title: 'Prompt', description: 'What is to be decided.', examples: ['Promote the new model?'] }),
    assignees: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        uniqueItems: true,
        title: 'Assignees',
        description: 'Who may decide. Default: anybody.',
        examples: [['ann', 'bob']],
      }),
    ),
    quorum: Type.Optional(
      Type.Integer({
        minimum: 1,
        title: 'Quorum',
        description: 'How many must approve; one who rejects is enough. Default: 1.',
        examples: [2],
      }),
    ),
    timeout: Type.Optional(
      Type.String({
        format: 'duration',
        title: 'Timeout',
        description: 'How long to wait. Default: as long as it takes.',
        examples: ['24h'],
        template: 'none',
      }),
    ),
    on_timeout: Type.Optional(
      Type.Union([Type.Literal('reject'), Type.Literal('approve')], {
        title: 'On timeout',
        description: 'The decision that applies if no one decides in time. Default: reject.',
        examples: ['reject'],
      }),
    ),
    form: Type.Optional(
      Type.Unsafe<Record<string, unknown>>({
        $ref: '#/definitions/value',
        title: 'Form',
        description: 'The fields that who approves must fill in: the JSON Schema of a map.',
        examples: [{ properties: { reason: { type: 'string' } }, required: ['reason'] }],
      }),
    ),
  }),
  result: Type.Object({
    decision: Type.Union([Type.Literal('approve'), Type.Literal('reject')]),
    by: Type.Array(Type.String()),
    comments: Type.Array(Type.String()),
    form: Type.Record(Type.String(), Type.Unknown()),
    prompt: Type.String(),
  }),
  connections: {},
  example: { name: 'approve_promotion', type: 'approval', prompt: 'Promote the new model?', assignees: ['ann', 'bob'], timeout: '24h' },
});
