import { join } from 'node:path';
import { cached } from './cache.ts';
import { findPython, makeVenv } from './python.ts';
import type { Report } from './parts/part.ts';
import { ToolMissing } from './tool-missing.ts';
import { versions } from './versions.ts';

/**
 * Returns a Python with FastAPI and uvicorn, for the services of `examples/integrations/`; fetches them the first time (45 MB on the disk).
 * @throws ToolMissing on a machine without Python, ToolFailed when pip fails
 */
export async function servicePython(environment: NodeJS.ProcessEnv, report: Report): Promise<string> {
  const folder = await cached(environment, { name: `fastapi-${versions.fastapi}`, essential: 'bin/python' }, report, async (partial) => {
    const python = await findPython(environment, versions.fastapiPythonAtLeast);
    if (python === undefined) throw new ToolMissing(`services need Python ${versions.fastapiPythonAtLeast} or later with venv`);
    report('fetching FastAPI with pip; usually under half a minute');
    await makeVenv(environment, python, partial, 'fastapi', report);
  });
  return join(folder, 'bin/python');
}
