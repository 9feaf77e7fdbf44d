/** What workers load into the workflow sandbox. The default export is Temporal's default workflow: it takes every `dag_id`. */
export { interpreter as default } from './interpreter.ts';
