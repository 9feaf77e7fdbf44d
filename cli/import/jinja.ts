/** Airflow's template names that a run has here too, with ours. */
const NAMES: Readonly<Record<string, string>> = {
  ds: 'ds',
  ds_nodash: 'ds_nodash',
  ts: 'ts',
  prev_ds: 'prev_ds',
  next_ds: 'next_ds',
  logical_date: 'logical_date',
  execution_date: 'logical_date',
  data_interval_start: 'data_interval_start',
  data_interval_end: 'data_interval_end',
  run_id: 'run_id',
  'dag_run.run_id': 'run_id',
  'dag.dag_id': 'dag_id',
  'dag_run.dag_id': 'dag_id',
  'logical_date | ds': 'ds',
  'logical_date | ds_nodash': 'ds_nodash',
  'data_interval_start | ds': 'ds',
  'data_interval_start | ds_nodash': 'ds_nodash',
  'execution_date | ds': 'ds',
  'execution_date | ds_nodash': 'ds_nodash',
};
const PARAM = /^params(?:\.([A-Za-z_]\w*)|\[(?:'([^'\]]+)'|"([^"\]]+)")\])$/;
const TEMPLATE = /\{\{([^]*?)\}\}|\{%[^]*?%\}|\{#[^]*?#\}/g;

/** A text with its expressions in our language; what has none stands in `lost` as it was written. */
export interface Translation {
  readonly text: string;
  readonly lost: readonly string[];
}

/** Whether `text` holds any of Jinja. */
export function isJinja(text: string): boolean {
  return /\{\{|\{%|\{#/.test(text);
}

/**
 * Translates the Jinja in `text`.
 * @param params the names of the DAG's parameters, with ours
 */
export function translateJinja(text: string, params: ReadonlyMap<string, string>): Translation {
  const lost: string[] = [];
  const translated = text.replace(TEMPLATE, (whole: string, inside: string | undefined) => {
    const name =
      inside === undefined
        ? undefined
        : ours(
            inside
              .replace(/^-|-$/g, '')
              .trim()
              .replace(/\s*\|\s*/g, ' | '),
            params,
          );
    if (name === undefined) lost.push(whole);
    return name === undefined ? whole : `{{ ${name} }}`;
  });
  // Braces that belong to nothing would be expressions to us.
  if (lost.length === 0 && isJinja(translated.replace(/\{\{ [\w.]+ \}\}/g, ''))) lost.push(text);
  return { text: translated, lost };
}

function ours(expression: string, params: ReadonlyMap<string, string>): string | undefined {
  if (Object.hasOwn(NAMES, expression)) return NAMES[expression];
  const match = PARAM.exec(expression);
  const name = match && params.get(match[1] ?? match[2] ?? match[3] ?? '');
  return name ? `params.${name}` : undefined;
}
