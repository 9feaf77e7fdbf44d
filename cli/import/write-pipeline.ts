import { Document, type Node, Scalar, visit, type YAMLSeq } from 'yaml';
import type { WrittenPipeline } from './convert-dag.ts';

/** Lists of words that are not longer than this stand on one line. */
const MAX_LINE = 100;

/** The YAML of a pipeline, as a person would write it. */
export function writePipeline({ comments, keys, tasks }: WrittenPipeline): string {
  const document = new Document({ ...keys, tasks: [] }, { aliasDuplicateObjects: false });
  const list = document.createNode(tasks.map(({ keys: task }) => task)) as YAMLSeq<Node>;
  for (const [index, { comments: told }] of tasks.entries()) {
    const item = list[index];
    if (item && told.length > 0) item.commentBefore = commentOf(told);
    if (item && index > 0 && (told.length > 0 || tasks[index - 1]?.comments.length !== 0)) item.spaceBefore = true;
  }
  document.set('tasks', list);
  visit(document, {
    Seq(_key, seq) {
      const words = seq.every(
        (item) => item instanceof Scalar && String(item.value).length < MAX_LINE && !String(item.value).includes('\n'),
      );
      if (words && Array.from(seq, String).join(', ').length < MAX_LINE) seq.flow = true;
    },
    Map(_key, map) {
      if (map.size === 0) map.flow = true;
    },
  });
  document.commentBefore = commentOf(comments);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** Lines of a comment. What a source holds cannot end it: to YAML more than the line feed is the end of a line. */
function commentOf(lines: readonly string[]): string {
  return lines
    .flatMap((line) => line.split('\n'))
    .map((line) => ` ${line.replace(/[\p{Cc}\u2028\u2029\ufeff]/gu, ' ')}`)
    .join('\n');
}
