import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { runLanes } from '../../dev/launch/lanes.mjs';

/** A lane that prints what mocha prints, and ends like it: with the number of failures. */
function lane(name: string, failures: number): { name: string; command: string[] } {
  const text = `  ✔ a test of ${name}\n\n  7 passing (1m)\n${failures > 0 ? `  ${failures} failing\n\n  1) a fault of ${name}\n` : ''}`;
  return { name, command: ['-e', `process.stdout.write(${JSON.stringify(text)}); process.exitCode = ${failures}`] };
}

/** What a run of lanes prints. */
async function outputOf(lanes: Parameters<typeof runLanes>[0]): Promise<{ code: number; output: string }> {
  let output = '';
  const code = await runLanes(lanes, (text) => void (output += String(text)));
  return { code, output };
}

describe('tests in several processes', () => {
  it('print each lane once when all pass', async () => {
    const { code, output } = await outputOf([lane('first', 0), lane('second', 0)]);
    assert.equal(code, 0);
    for (const name of ['first', 'second']) assert.equal(output.split(`a test of ${name}`).length, 2);
  });

  it('end with what failed in the first lane, not with the lane that passed', async () => {
    const { code, output } = await outputOf([lane('first', 3), lane('second', 0)]);
    assert.equal(code, 1);
    assert.match(output, /a test of second[^]*Failed: first\n {2}7 passing[^]*3 failing\n\n {2}1\) a fault of first\n$/);
  });

  it('end with what failed in every lane', async () => {
    const { code, output } = await outputOf([lane('first', 2), lane('second', 300), lane('third', 0)]);
    assert.equal(code, 1);
    assert.match(output, /a test of third[^]*Failed: first\n[^]*a fault of first\n\nFailed: second\n[^]*a fault of second\n$/);
  });

  it('end with the last lines of a lane that came to no summary', async () => {
    const { code, output } = await outputOf([
      { name: 'first', command: ['-e', 'console.error("no module"); process.exit(7)'] },
      lane('second', 0),
    ]);
    assert.equal(code, 1);
    assert.match(output, /Failed: first\nno module\n$/);
  });
});
