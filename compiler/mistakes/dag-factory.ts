import { isMap, type JsonObject } from '../../workflows/plan/values/json.ts';

/** Whether a file looks like dag-factory: names at the top level with maps of tasks, and no tasks of its own. */
export function isDagFactory(value: JsonObject): boolean {
  return (
    value.dag_id === undefined && value.tasks === undefined && Object.values(value).some((each) => isMap(each) && each.tasks !== undefined)
  );
}
