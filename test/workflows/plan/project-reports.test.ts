import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type ReportedProjects, withReport } from '../../../workflows/plan/incidents/project-reports.ts';

describe('reports of several projects on one task queue', () => {
  const mistake = (file: string) => ({ file, mistake: 'x', mistakes: 1 });
  const brokenIn = ({ files }: ReportedProjects): string[] => files?.broken.map(({ file, since }) => `${file} ${since}`) ?? [];

  it('replace only what the same project has reported, and keep since when a file is broken', () => {
    const first = withReport({}, { project: 'acme', expected: ['a', 'b'], broken: [mistake('a.yaml')] }, '01');
    const second = withReport(first, { project: 'other', expected: ['c'], broken: [mistake('c.yaml')] }, '02');
    assert.deepEqual(second.expected, ['a', 'b', 'c']);
    assert.deepEqual(brokenIn(second), ['a.yaml 01', 'c.yaml 02']);
    const third = withReport(second, { project: 'acme', expected: ['b'], broken: [mistake('a.yaml'), mistake('b.yaml')] }, '03');
    assert.deepEqual(third.expected, ['c', 'b']);
    assert.deepEqual(brokenIn(third), ['c.yaml 02', 'a.yaml 01', 'b.yaml 03']);
    assert.equal(third.files?.at, '03');
    assert.deepEqual(brokenIn(withReport(third, { project: 'acme', expected: ['b'], broken: [] }, '04')), ['c.yaml 02']);
  });

  it('of a part of a project leave its broken files as reported before', () => {
    const whole = withReport({}, { project: 'acme', expected: ['a'], broken: [mistake('a.yaml')] }, '01');
    const part = withReport(whole, { project: 'acme', expected: ['a', 'b'] }, '02');
    assert.deepEqual([part.expected, brokenIn(part)], [['a', 'b'], ['a.yaml 01']]);
  });

  it('of earlier releases, without a project, are replaced by the first one that has a project', () => {
    const old = withReport({}, { expected: ['a', 'gone'], broken: [mistake('a.yaml')] }, '01');
    assert.deepEqual([old.expected, brokenIn(old)], [['a', 'gone'], ['a.yaml 01']]);
    const now = withReport(old, { project: 'acme', expected: ['a'], broken: [mistake('a.yaml')] }, '02');
    assert.deepEqual([now.expected, brokenIn(now)], [['a'], ['a.yaml 01']]);
    // What an earlier release remembered has no projects at all.
    const before: ReportedProjects = { expected: old.expected, ...(old.files && { files: old.files }) };
    assert.deepEqual(withReport(before, { project: 'acme', expected: ['b'] }, '03').expected, ['b']);
  });
});
