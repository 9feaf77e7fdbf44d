import { defineConnection } from './define-connection.ts';

export interface CamelConnection {
  readonly type: 'camel';
  /** The folder with Camel's jars: a route can use the components that are in it. */
  readonly jars: string;
  readonly java_home?: string;
  /** A file of Java properties on the worker that routes may use, such as passwords. */
  readonly properties_file?: string;
}

export const camel = defineConnection<CamelConnection>({
  type: 'camel',
  description: 'Apache Camel, which runs routes on the worker',
  schemes: [],
  example: `'{"type":"camel","jars":"/opt/camel"}'`,
  fields: {
    jars: {
      description: 'folder of jars: `camel-main`, `camel-yaml-dsl`, `camel-file`, an SLF4J binding, and the components that routes may use',
    },
    java_home: { description: 'Java 17 or later (`JAVA_HOME`); by default `java` on PATH' },
    properties_file: {
      description: 'file of Java properties that routes may use as `{{name}}`, such as passwords; they are hidden in logs',
    },
  },
  read({ required, optional }) {
    const [javaHome, file] = [optional('java_home'), optional('properties_file')];
    return {
      type: 'camel',
      jars: required('jars'),
      ...(javaHome !== undefined && { java_home: javaHome }),
      ...(file !== undefined && { properties_file: file }),
    };
  },
  async check({ jars }) {
    const { readdirSync } = await import('node:fs');
    const main = readdirSync(jars).find((name) => /^camel-main-\d.*\.jar$/.test(name));
    if (main === undefined) throw new Error(`${jars} contains no camel-main jar`);
    return `Camel ${main.slice('camel-main-'.length, -'.jar'.length)}`;
  },
});
