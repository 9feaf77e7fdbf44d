interface NameKind {
  readonly form: RegExp;
  /** Prefix for names that do not start with a letter. */
  readonly prefix: string;
  readonly length: number;
  readonly lowerCase: boolean;
}

/** Rules for names in Sluice; Airflow allows more. */
const KINDS = {
  dag: { form: /^[a-z][a-z0-9_]{0,127}$/, prefix: 'dag_', length: 128, lowerCase: true },
  task: { form: /^[A-Za-z][A-Za-z0-9_]{0,127}$/, prefix: 'task_', length: 128, lowerCase: false },
  group: { form: /^[A-Za-z][A-Za-z0-9_]{0,63}$/, prefix: 'group_', length: 64, lowerCase: false },
  param: { form: /^[a-z][a-z0-9_]{0,63}$/, prefix: 'param_', length: 64, lowerCase: true },
  connection: { form: /^[a-z][a-z0-9_]{0,63}$/, prefix: 'conn_', length: 64, lowerCase: true },
  pool: { form: /^[a-z][a-z0-9_]{0,63}$/, prefix: 'pool_', length: 64, lowerCase: true },
} as const satisfies Record<string, NameKind>;
export type NameKindName = keyof typeof KINDS;

/** Converts `name` to a valid name: replaces invalid characters with `_`. The same input always gives the same output. */
export function adaptName(name: string, kind: NameKindName): string {
  const { form, prefix, length, lowerCase } = KINDS[kind];
  if (form.test(name)) return name;
  const plain = name
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  const whole = /^[A-Za-z]/.test(plain) ? plain : `${prefix}${plain}`;
  return (lowerCase ? whole.toLowerCase() : whole).slice(0, length).replace(/_+$/, '');
}

/**
 * Assigns each of `names` a unique name. Valid names are kept, in any order.
 * @param others names that are already in use
 */
export function adaptNames(names: Iterable<string>, kind: NameKindName, others: Iterable<string> = []): ReadonlyMap<string, string> {
  const all = [...new Set(names)];
  const given = new Set(others);
  const taken = new Set([...given, ...all.filter((name) => KINDS[kind].form.test(name))]);
  return new Map(
    all.map((name) => {
      const adapted = adaptName(name, kind);
      if (adapted === name && !given.has(name)) return [name, name];
      let free = adapted;
      for (let count = 2; taken.has(free); count++) free = `${adapted.slice(0, KINDS[kind].length - 6)}_${count}`;
      taken.add(free);
      return [name, free];
    }),
  );
}
