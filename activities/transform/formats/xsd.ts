import { loadDriver } from '../../../lib/driver.ts';
import { errorText } from '../../../workflows/plan/values/error-text.ts';
import { userFault } from '../../run/errors.ts';
import { wholeText } from './lines.ts';
import { FileBroken } from './source-record.ts';

/** Maximum size of a document that is validated, in characters: the validator holds its tree in memory. */
export const MAX_VALIDATED_CHARACTERS = 16 * 1024 * 1024;

/** A document, after it was validated by an XML Schema as a whole. @throws FileBroken @throws ApplicationFailure `InvalidParameters` */
export async function* validated(text: AsyncIterable<string>, xsd: string): AsyncGenerator<string> {
  const document = await wholeText(text, MAX_VALIDATED_CHARACTERS);
  await validateXml(document, xsd);
  yield document;
}

/**
 * Validates a document by an XML Schema. Neither may have a DOCTYPE, and the schema cannot include others: nothing else is read.
 * @throws FileBroken with the first error @throws ApplicationFailure `InvalidParameters` when the schema is not valid
 */
export async function validateXml(document: string, xsd: string): Promise<void> {
  const { ParseOption, XmlDocument, XsdValidator } = await loadDriver('libxml2-wasm', 'XML Schemas (xsd)', () => import('libxml2-wasm'));
  const parse = (text: string): InstanceType<typeof XmlDocument> => {
    if (/<!DOCTYPE/.test(text)) throw new Error('it has a DOCTYPE, which could name other files and expand without limit');
    // The text is decoded: a declaration of another encoding would be wrong.
    return XmlDocument.fromString(text.replace(/^\s*<\?xml[^>]*\?>/, ''), { option: ParseOption.XML_PARSE_NONET });
  };
  const schemaDocument = orThrow(
    () => parse(xsd),
    (error) => userFault('InvalidParameters', `The XML Schema in \`xsd\` cannot be read: ${errorText(error)}.`),
  );
  try {
    const validator = orThrow(
      () => XsdValidator.fromDoc(schemaDocument),
      (error) => userFault('InvalidParameters', `The XML Schema in \`xsd\` is not valid: ${errorText(error)}.`),
    );
    try {
      const parsed = orThrow(
        () => parse(document),
        (error) => new FileBroken(`it is not well-formed XML: ${errorText(error).trim()}`),
      );
      try {
        orThrow(
          () => validator.validate(parsed),
          (error) => new FileBroken(`it is not valid by its XML Schema: ${errorText(error).trim().slice(0, 1_000)}`),
        );
      } finally {
        parsed.dispose();
      }
    } finally {
      validator.dispose();
    }
  } finally {
    schemaDocument.dispose();
  }
}

function orThrow<T>(work: () => T, failure: (error: unknown) => Error): T {
  try {
    return work();
  } catch (error) {
    throw failure(error);
  }
}
