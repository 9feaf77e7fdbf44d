import { Document, type Node, Scalar, visit, type YAMLSeq } from 'yaml';
import type { WrittenPipeline } from './convert-dag.ts';

/** Longest list of words that is written on one line, in characters. */
const MAX_LINE = 100;

/** Formats a pipeline as YAML. */
export function writePipeline({ comments, keys, tasks }: WrittenPipeline): string {
  const document = new Document({ ...keys, tasks: [] }, { aliasDuplicateObjects: false });
  const list = document.createNode(tasks.map(({ keys: task }) => task)) as YAMLSeq<Node>;
  for (const [index, { comments: lines }] of tasks.entries()) {
    const item = list[index];
    if (item && lines.length > 0) item.commentBefore = commentOf(lines);
    if (item && index > 0 && (lines.length > 0 || tasks[index - 1]?.comments.length !== 0)) item.spaceBefore = true;
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

/** Formats a comment. Replaces control characters, because YAML has more line breaks than the line feed and one would end the comment. */
function commentOf(lines: readonly string[]): string {
  return lines
    .flatMap((line) => line.split('\n'))
    .map((line) => ` ${line.replace(/[\p{Cc}\u2028\u2029\ufeff]/gu, ' ')}`)
    .join('\n');
}
