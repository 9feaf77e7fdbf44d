import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findJobFile, jobsFolder } from '../../../activities/spark/job-file.ts';

describe('activities/spark/job-file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-jobs-'));
  before(() => {
    mkdirSync(join(folder, 'team'));
    for (const file of ['prices.py', 'both.py', 'both.jar', 'report.jar', 'team/inner.py', 'sluice_job.py'])
      writeFileSync(join(folder, file), '');
  });
  after(() => rmSync(folder, { recursive: true }));

  it('finds a job by its name, a path under jobs/ and a URI', () => {
    const path = (given: object) => findJobFile(given, folder).path;
    assert.equal(path({ job_name: 'prices' }), join(folder, 'prices.py'));
    assert.equal(path({ job_name: 'both' }), join(folder, 'both.py'));
    assert.equal(path({ job_name: 'report' }), join(folder, 'report.jar'));
    assert.equal(path({ application: 'team/inner.py' }), join(folder, 'team/inner.py'));
    assert.equal(path({ application: 's3://code/a.jar' }), 's3://code/a.jar');
    assert.deepEqual(findJobFile({ job_name: 'prices' }, folder).library, [join(folder, 'sluice_job.py')]);
    assert.deepEqual(findJobFile({ job_name: 'report' }, folder).library, []);
  });

  it('refuses what is not there, leads out of the folder, or is not one', () => {
    const type = (given: object, wanted: string) =>
      assert.throws(() => findJobFile(given, folder), { type: wanted }, JSON.stringify(given));
    type({ job_name: 'pricse' }, 'JobNotFound');
    type({ application: 'team/absent.py' }, 'JobNotFound');
    for (const application of ['../x.py', '/etc/passwd', 'team/../../x.py', '.']) type({ application }, 'InvalidParameters');
    type({}, 'InvalidParameters');
    type({ job_name: 'prices', application: 'prices.py' }, 'InvalidParameters');
    assert.throws(() => findJobFile({ job_name: 'pricse' }, folder), /Did you mean 'prices'\? Jobs there: both, prices, report\./);
    assert.throws(() => findJobFile({ job_name: 'x' }, join(folder, 'absent')), /No job is there/);
  });

  it('looks in the repository, wherever the worker was started', () => {
    const repository = new URL('../../../', import.meta.url).pathname;
    assert.equal(jobsFolder({}), join(repository, 'jobs'));
    assert.equal(jobsFolder({ SLUICE_JOBS: 'other/jobs' }), join(repository, 'other/jobs'));
    assert.equal(jobsFolder({ SLUICE_JOBS: '/srv/jobs' }), '/srv/jobs');
  });
});
