import { mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { temporaryFolder } from './temporary-folder.ts';

/** A project of a team, in a temporary folder. */
export class TestProject {
  private constructor(readonly root: string) {}

  /** @param files texts by path */
  static async create(files: Readonly<Record<string, string>>): Promise<TestProject> {
    const { path } = await temporaryFolder();
    const project = new TestProject(await realpath(path));
    await project.write(files);
    return project;
  }

  /** The environment of a process in this project. */
  get environment(): { readonly SLUICE_PROJECT: string } {
    return { SLUICE_PROJECT: this.root };
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      const file = join(this.root, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }
}
