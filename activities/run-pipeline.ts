import Type from 'typebox';
import { declareTask } from './define-task.ts';

/** Starts a run of another pipeline. */
export const runPipeline = declareTask({
  type: 'run_pipeline',
  runtime: 'interpreter',
  description: 'Starts a run of another pipeline on the same data interval, and waits for its end. Cancelled, it cancels that run too.',
  summary: ({ dag_id }) => `→ ${dag_id}`,
  params: Type.Object({
    dag_id: Type.String({
      title: 'Pipeline',
      description: 'The pipeline to start.',
      examples: ['daily_product_sales_analysis'],
      template: 'none',
    }),
    params: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        title: 'Parameters',
        description: "What the run is given; checked against that pipeline's params.",
        examples: [{ region: '{{ params.region }}' }],
        runParams: true,
      }),
    ),
    wait: Type.Optional(
      Type.Boolean({
        title: 'Wait',
        description: 'Whether to wait for its end; its failure is then the failure of this task. Default: true.',
        examples: [false],
      }),
    ),
  }),
  result: Type.Object({ run_id: Type.String(), state: Type.String(), outputs: Type.Record(Type.String(), Type.Unknown()) }),
  connections: {},
  example: { name: 'refresh_sales', type: 'run_pipeline', dag_id: 'daily_product_sales_analysis' },
});
