import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findProgram } from '../../lib/find-program.ts';
import type { Report } from './parts/part.ts';
import { checkFiles } from './pins.ts';
import { runTool } from './run-tool.ts';
import { versions } from './versions.ts';

/** A Maven artifact; `exclusions` are excluded dependencies as `group:artifact`, `*` for any. */
export interface Artifact {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
  readonly exclusions?: readonly string[];
  /** Default: `jar`. */
  readonly type?: string;
  readonly classifier?: string;
}

/**
 * Copies the artifacts and their runtime dependencies into the folder. Uses Maven itself, so the user's mirrors and proxies apply.
 * @param pins the file in dev/servers/pins/ with their checksums
 * @param repository a folder with additional artifacts
 * @throws ChecksumMismatch
 */
export async function copyJars(
  environment: NodeJS.ProcessEnv,
  artifacts: readonly Artifact[],
  folder: string,
  javaHome: string,
  pins: string,
  report: Report,
  repository?: string,
): Promise<void> {
  const mvn = findProgram('mvn', environment);
  if (mvn === undefined) throw new Error('mvn is not on PATH');
  const pom = join(folder, 'pom.xml');
  await writeFile(pom, pomOf(artifacts, repository));
  let files = 0;
  await runTool(mvn, ['-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`, '-DincludeScope=runtime'], {
    environment: { ...environment, JAVA_HOME: javaHome },
    workingFolder: folder,
    onLine: (line) => {
      if (!/\bDownloaded from\b/.test(line)) return;
      files++;
      report(`fetching jars with Maven; usually under a minute: ${files} files`);
    },
  });
  await rm(pom);
  await checkFiles(folder, pins);
}

function pomOf(artifacts: readonly Artifact[], repository: string | undefined): string {
  const dependencies = artifacts.map(({ group, artifact, version, exclusions = [], type = 'jar', classifier }) => {
    const kind = `<type>${type}</type>${classifier === undefined ? '' : `<classifier>${classifier}</classifier>`}`;
    const excluded = exclusions.map((exclusion) => {
      const [excludedGroup, excludedArtifact] = exclusion.split(':');
      return `<exclusion><groupId>${excludedGroup}</groupId><artifactId>${excludedArtifact}</artifactId></exclusion>`;
    });
    return `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${kind}
      <exclusions>${excluded.join('')}</exclusions></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sluice</groupId>
  <artifactId>jars</artifactId>
  <version>1</version>
  <build><plugins><plugin>
    <artifactId>maven-dependency-plugin</artifactId>
    <version>${versions.mavenDependencyPlugin}</version>
  </plugin></plugins></build>
${repository === undefined ? '' : `  <repositories><repository><id>beside</id><url>${pathToFileURL(repository).href}</url></repository></repositories>\n`}  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`;
}
