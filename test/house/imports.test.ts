import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'mocha';
import { SOURCES } from '../../dev/launch/bundle.mjs';
import { ROOT } from '../../lib/environment.ts';
import { findCycle } from '../../workflows/plan/graph.ts';
import { ownFiles } from '../support/own-files.ts';

/** Imports between our own files; types too, though they leave no trace at run time. */
function importGraph(what: 'all' | 'values'): Map<string, string[]> {
  const files = ownFiles(/\.(ts|mjs)$/);
  const form = what === 'all' ? /^(?:import|export) [^;]*?from '(\.[^']+)'/gm : /^(?:import|export) (?!type )[^;]*?from '(\.[^']+)'/gm;
  return new Map(
    files.map((file) => {
      const imports = [...readFileSync(join(ROOT, file), 'utf8').matchAll(form)].map(([, path]) => path ?? '');
      return [file, imports.map((path) => relative(ROOT, join(ROOT, dirname(file), path)))];
    }),
  );
}

describe('the house', () => {
  it('has no import cycles, types included', () => {
    const graph = importGraph('all');
    assert.ok(graph.size > 50);
    assert.equal(findCycle(graph)?.join(' → '), undefined);
  });

  it('makes a program again when anything that it is made of has changed', () => {
    const graph = importGraph('values');
    const seen = new Set(['cli.ts', 'worker.ts', 'scheduler.ts']);
    for (const file of seen) for (const imported of graph.get(file) ?? []) seen.add(imported);
    const watched = [...SOURCES, 'cli.ts', 'worker.ts', 'scheduler.ts'];
    assert.ok(seen.size > 300);
    assert.deepEqual(
      [...seen].filter((file) => !watched.some((source) => file === source || file.startsWith(`${source}/`))),
      [],
      'add its room to SOURCES in dev/launch/bundle.mjs',
    );
  });
});
