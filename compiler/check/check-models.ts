import { overlapOf, type RowSource } from '../../activities/support/models/row-overlap.ts';
import { isMap, type Json } from '../../workflows/plan/values/json.ts';
import type { HandOver } from '../resolve/resolve-data.ts';
import type { Source } from '../read/source.ts';
import type { TaskNode } from '../resolve/task-node.ts';

/** Reports models that are evaluated on their training data, where an overfitted model scores better than it should. */
export function checkModels(source: Source, nodes: readonly TaskNode[], handOver: ReadonlyMap<string, HandOver>): void {
  const inputOf = ({ name = '' }: TaskNode): string | undefined => handOver.get(name)?.inputFrom;
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const trainings = nodes.filter(({ type }) => type === 'train_model');
  for (const node of nodes) {
    const input = inputOf(node);
    if (node.type !== 'evaluate_model' || input === undefined) continue;
    const rows = rowsOf(byName.get(input));
    const training = trainings.find((each) => {
      const other = inputOf(each);
      // If both tasks read the same data, the training's split reserves rows for the evaluation.
      const splits = each.keys.split !== undefined && other === input;
      return each.keys.model === node.keys.model && !splits && (other === input || haveCommonRows(rows, rowsOf(byName.get(other))));
    });
    if (!training) continue;
    const other = inputOf(training);
    source.report(
      'SL407',
      [...node.path, node.keys.inputs === undefined ? 'type' : 'inputs'],
      other === input
        ? `Task '${node.name}' evaluates the model on the data of '${input}', on which '${training.name}' trains it.`
        : `Task '${node.name}' evaluates the model on the data of '${input}', which contains rows of '${other}', on which '${training.name}' trains it.`,
      training.keys.split === undefined
        ? `add \`split: {by: time, test: 20%}\` to '${training.name}', which reserves the newest rows for evaluation, or extract data that the training does not read, and name that task in \`inputs\``
        : `read the data of '${other}' here: '${training.name}' reserves rows of it for evaluation`,
    );
  }
}

/** The source of an extract from a database. */
interface Extract {
  readonly connection: string;
  readonly source: RowSource;
}

function haveCommonRows(a: Extract | undefined, b: Extract | undefined): boolean {
  return a !== undefined && b !== undefined && a.connection === b.connection && overlapOf(a.source, b.source) === 'some';
}

/** The keys that define which rows an extract reads. */
const ROW_KEYS = ['source_table', 'query', 'where', 'incremental', 'conn_id', 'postgres_conn_id'];

/** Undefined for other tasks, which may transform rows, and if one of the keys is blank. */
function rowsOf(node: TaskNode | undefined): Extract | undefined {
  if (node?.type !== 'postgres_to_s3' || ROW_KEYS.some((key) => node.keys[key] === null)) return undefined;
  const {
    source_table: table,
    query,
    where,
    incremental,
    conn_id: name,
    postgres_conn_id: connection = name ?? 'postgres_default',
  } = node.keys;
  const interval = isMap(incremental) && typeof incremental.column === 'string' && intervalOf(incremental.column, incremental.lag);
  return {
    connection: String(connection),
    source: {
      ...(typeof table === 'string' && { table }),
      ...(typeof query === 'string' && { query }),
      ...(typeof where === 'string' && { where }),
      ...(interval && { incremental: interval }),
    },
  };
}

/** The interval of the run, in the same form as in expressions. */
function intervalOf(column: string, lag: Json | undefined): NonNullable<RowSource['incremental']> {
  const start = lag === undefined ? '{{ data_interval_start }}' : `{{ data_interval_start - ${JSON.stringify(lag)} }}`;
  return { column, start, end: '{{ data_interval_end }}' };
}
