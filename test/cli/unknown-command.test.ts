import assert from 'node:assert/strict';
import { Command } from 'commander';
import { describe, it } from 'mocha';
import { refuseUnknownCommands } from '../../cli/unknown-command.ts';

const ACTING = ['pause', 'resume', 'cancel', 'skip', 'retry', 'apply'];

/** What `sluice <words>` answers: the message of the refusal, or the name of the command that ran. */
async function answer(...words: string[]): Promise<string> {
  let ran = '';
  const leaf = (name: string): Command => new Command(name).action(() => void (ran = name));
  const program = new Command('sluice');
  for (const name of ACTING) program.addCommand(leaf(name).argument('<run>'));
  const sensors = leaf('sensors');
  for (const name of ['pause', 'resume']) sensors.addCommand(leaf(name).argument('<sensor>'));
  program.addCommand(sensors);
  refuseUnknownCommands(program);
  return program.parseAsync(words, { from: 'user' }).then(
    () => ran,
    (error: unknown) => (error as Error).message,
  );
}

describe('an unknown command', () => {
  it('is refused with the command that was likely meant, at each level', async () => {
    assert.equal(await answer('canel', 'x'), "Unknown command 'canel'. Did you mean `sluice cancel`?");
    assert.equal(await answer('sensors', 'resum', 'x'), "Unknown command 'resum'. Did you mean `sluice sensors resume`?");
    assert.equal(await answer('sensors', 'list'), "Unknown command 'list'. `sluice sensors --help` lists all commands.");
  });

  it('never suggests the opposite', async () => {
    for (const prefix of ['un', 'de', 're', 'dis'])
      for (const name of ACTING) {
        const message = await answer(`${prefix}${name}`, 'x');
        assert.match(message, /^Unknown command/);
        assert.doesNotMatch(message, new RegExp(`sluice ${name}\\b`));
      }
    assert.match(await answer('unpause', 'x'), /`sluice resume`/);
    assert.match(await answer('sensors', 'unpause', 'x'), /`sluice sensors resume`/);
  });

  it('is not one that exists', async () => {
    assert.equal(await answer('cancel', 'x'), 'cancel');
    assert.equal(await answer('sensors'), 'sensors');
    assert.equal(await answer('sensors', 'pause', 'x'), 'pause');
  });
});
