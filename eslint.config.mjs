import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const ROOMS = [
  'workflows',
  'activities',
  'sensors',
  'monitors',
  'connections',
  'resources',
  'project',
  'compiler',
  'temporal',
  'graph',
  'lib',
  'cli',
  'dev',
  'bench',
  'test',
];

/**
 * Restricts value imports (not type imports) between folders: docs/house.md of the design, "Rooms".
 * @param {string} files the folder
 * @param {string[]} rooms other folders that it may import from
 * @param {string} packages a regular expression for the npm packages and Node modules that it may import; '' for none
 */
function room(files, rooms, packages) {
  const own = files.split('/')[0];
  const forbidden = ROOMS.filter((name) => name !== own && !rooms.some((allowed) => allowed === name || allowed.startsWith(`${name}/`)));
  const restrict = (regex, message) => ({ regex, message, allowTypeImports: true });
  // A nested folder may have the name of a top-level one: at each depth, only the path up to the root leads to the latter.
  return DEPTHS.map((depth) => {
    const up = `^${'\\.\\./'.repeat(files.split('/').length + depth)}`;
    const patterns = [
      restrict(`${up}(${forbidden.join('|')})/`, `${files} may import from: ${[own, ...rooms].join(', ')}.`),
      restrict(`${up}(worker|scheduler|cli)\\.ts$`, 'Processes are not imported.'),
      restrict(packages === '' ? '^[^.]' : `^(?!\\.|${packages})`, `${files} may not import this package.`),
      ...rooms
        .filter((name) => name.includes('/'))
        .map((name) => restrict(`${up}${name.split('/')[0]}/(?!${name.split('/')[1]}/)`, `${files} may import ${name} only.`)),
    ];
    return {
      files: [`${files}/${'*/'.repeat(depth)}*.ts`],
      rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
    };
  });
}
/** Supported depths of subfolders. */
const DEPTHS = [0, 1, 2, 3, 4];

/** @param {string} name a function of AbortSignal @param {string} instead what to use */
const signalOf = (name, instead) => ({
  selector: `MemberExpression[object.name='AbortSignal'][property.name='${name}']`,
  message: `It can be garbage-collected before it fires (nodejs/node#57736): use ${instead}.`,
});
const currentScope = {
  selector: "MemberExpression[object.name='CancellationScope'][property.name='current']",
  message: 'This depends on the current scope: name the scope explicitly (workflows/temporal-scope.ts).',
};
const anySignal = signalOf('any', 'linkedController() of lib/linked-controller.ts');
const timeoutSignal = signalOf('timeout', 'withinTime() of lib/time-limit.ts');

export default tseslint.config(
  { ignores: ['node_modules/', '**/.sluice/', 'dist/', '**/*.d.mts'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // YAML values have any shape and are shown unchanged.
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/require-await': 'off',
      // Stored errors have type `unknown` and are rethrown unchanged.
      '@typescript-eslint/only-throw-error': 'off',
      // Factories return plain objects, whose functions do not use `this`.
      '@typescript-eslint/unbound-method': 'off',
      'no-console': 'error',
      'no-restricted-syntax': ['error', anySignal, timeoutSignal],
      eqeqeq: 'error',
    },
  },
  {
    files: ['**/*.ts'],
    ignores: ['dev/**', 'bench/**', 'test/**', 'lib/terminal.ts', 'lib/logging.ts', 'lib/progress.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['stdout', 'stderr'].map((property) => ({
          object: 'process',
          property,
          message: 'What others have written must not reach a terminal raw: use lib/terminal.ts.',
        })),
      ],
    },
  },
  {
    files: ['**/*.ts'],
    ignores: ['dev/**', 'bench/**', 'test/**'],
    rules: { 'no-restricted-globals': ['error', { name: 'fetch', message: 'It follows redirects to other origins: use lib/http.ts.' }] },
  },
  ...room('workflows/plan', [], '@marcbachmann/cel-js$'),
  // All runs of a worker share these modules (temporal/worker/workflow-bundle.ts): with the SDK they could keep state of a run.
  ...room('workflows/run', [], ''),
  ...room('workflows', [], '@temporalio/(workflow|common)$').map((rule) => ({
    ...rule,
    ignores: ['workflows/plan/**', 'workflows/run/**'],
  })),
  {
    files: ['workflows/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', 'process', 'Buffer', 'crypto', 'fetch', 'setInterval', 'require', 'performance'],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'A replay must see the same.' },
        { object: 'Date', property: 'now', message: 'A replay must see the same; take the time from what started the run.' },
      ],
    },
  },
  {
    files: ['workflows/**/*.ts'],
    ignores: ['workflows/temporal-scope.ts'],
    rules: { 'no-restricted-syntax': ['error', anySignal, timeoutSignal, currentScope] },
  },
  {
    // In the sandbox the clock is the server's time from the history, so a replay sees the same. Monitors check times, and runs record when
    // tasks start and end.
    files: ['incident', 'monitor', 'notify-channel', 'temporal-host', 'worker-check'].map((name) => `workflows/${name}.ts`),
    rules: { 'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'A replay must see the same.' }] },
  },
  ...room(
    'activities',
    ['workflows/plan', 'channels', 'connections', 'lib'],
    '(node:|@temporalio/(activity|common)$|pg|pg-copy-streams|@aws-sdk/|kafkajs$|typebox$|ajv$|fastest-levenshtein$|saxes$)',
  ),
  ...room(
    'compiler',
    ['workflows/plan', 'activities', 'sensors', 'channels', 'connections', 'resources', 'lib'],
    '(node:|yaml$|ajv$|typebox$|fastest-levenshtein$|@marcbachmann/cel-js$)',
  ),
  ...room(
    'temporal',
    ['workflows/plan', 'graph', 'connections', 'lib'],
    '(node:|@temporalio/(activity|client|worker|common|proto|envconfig)$)',
  ),
  ...room('sensors', ['workflows/plan', 'connections', 'lib'], '(node:|typebox$|@temporalio/(activity|common)$|kafkajs$)'),
  ...room('monitors', ['workflows/plan', 'channels', 'connections', 'lib'], '(node:|typebox$|@temporalio/(activity|common)$)'),
  ...room('channels', ['workflows/plan', 'connections', 'lib'], '(node:|typebox$)'),
  ...room('connections', ['workflows/plan', 'lib'], '(node:|typebox$)'),
  ...room('resources', ['workflows/plan', 'connections', 'lib'], '(node:|typebox$|kafkajs$|@aws-sdk/)'),
  ...room('project', ['workflows/plan', 'activities', 'sensors', 'channels', 'connections', 'resources', 'lib'], '(node:|esbuild$)'),
  ...room('graph', ['workflows/plan'], ''),
  ...room('lib', ['workflows/plan'], '[@a-z]'),
  {
    files: ['test/**/*.ts'],
    rules: {
      // A test passes it directly to the code under test, which keeps a listener on it.
      'no-restricted-syntax': ['error', anySignal],
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs', globals: { require: 'readonly', exports: 'writable' } } },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
      },
    },
  },
);
