import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { splitCommand } from '../../../cli/import/split-command.ts';

const PLAIN: Record<string, string[]> = {
  'echo 1': ['echo', '1'],
  '  python3   jobs/a.py\t--day  x ': ['python3', 'jobs/a.py', '--day', 'x'],
  'echo \'a b\' "c d"': ['echo', 'a b', 'c d'],
  'echo a\\ b': ['echo', 'a b'],
  'echo "say \\"hi\\" \\n"': ['echo', 'say "hi" \\n'],
  "echo 'it'\\''s'": ['echo', "it's"],
  "echo ''": ['echo', ''],
  "echo '$HOME | x; * {}'": ['echo', '$HOME | x; * {}'],
  'run --day={{ ds }} x': ['run', '--day={{ ds }}', 'x'],
  "run '{{ params.a }}/b'": ['run', '{{ params.a }}/b'],
  'run a \\\n  b': ['run', 'a', 'b'],
  'run a=b c~d e#f': ['run', 'a=b', 'c~d', 'e#f'],
};

const SHELL: Record<string, RegExp> = {
  'a | b': /pipe/,
  'a > f': /redirect/,
  'a < f': /redirect/,
  'a && b': /'&'/,
  'a; b': /';'/,
  'a\nb': /line/,
  'echo $HOME': /variable/,
  'echo "$HOME"': /variable/,
  'echo `date`': /command in a command/,
  'echo "`date`"': /command in a command/,
  'echo $(date)': /variable/,
  '(a)': /subshell/,
  'ls *.csv': /wildcard/,
  'ls a?': /wildcard/,
  'ls [ab]': /wildcard/,
  'echo {a,b}': /braces/,
  'cat ~/x': /home/,
  'a # b': /comment/,
  'A=1 run': /variable that is set/,
  'cd /tmp': /'cd'/,
  'if true': /'if'/,
  '! run': /'!'/,
  "echo 'a": /never closed/,
  '': /no program/,
  "''": /no program/,
};

describe('splitCommand', () => {
  for (const [command, words] of Object.entries(PLAIN)) {
    it(`splits ${JSON.stringify(command)}`, () => assert.deepEqual(splitCommand(command), { words }));
  }

  for (const [command, why] of Object.entries(SHELL)) {
    it(`leaves ${JSON.stringify(command)} to a shell`, () => {
      const split = splitCommand(command);
      assert.ok('shell' in split, JSON.stringify(split));
      assert.match(split.shell, why);
    });
  }
});
