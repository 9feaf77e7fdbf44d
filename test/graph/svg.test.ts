import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { drawSvg } from '../../graph/svg.ts';
import { plainText } from '../../graph/text.ts';
import { assortedGraphs, graphOf, HOSTILE_GRAPH, HOSTILE_TEXTS } from '../support/drawn-graphs.ts';

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
}

const TAG = /^<(\/?)([a-z]+)((?: [a-zA-Z0-9:-]+="[^"<>]*")*)(\/?)>/;
const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };

/** A strict reader of the XML that is written here: no declarations, comments or CDATA, and no entities but five. */
function parseXml(xml: string): Element[] {
  // eslint-disable-next-line no-control-regex -- XML forbids them even when they are escaped
  assert.doesNotMatch(xml, /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/u);
  const elements: { name: string; attributes: Record<string, string>; text: string }[] = [];
  const open: typeof elements = [];
  for (let rest = xml; rest !== '';) {
    const text = /^[^<]+/.exec(rest)?.[0];
    if (text !== undefined) {
      const element = open.at(-1);
      assert.ok(element, 'text outside of the root');
      assert.doesNotMatch(text, /&(?!(amp|lt|gt|quot|#39);)|\]\]>/);
      element.text += text.replace(/&[a-z#0-9]+;/g, (entity) => ENTITIES[entity] ?? '');
      rest = rest.slice(text.length);
      continue;
    }
    const tag = TAG.exec(rest);
    assert.ok(tag, `not a tag: ${rest.slice(0, 80)}`);
    const [all, closing, name = '', attributes = '', empty] = tag;
    rest = rest.slice(all.length);
    if (closing) {
      assert.equal(open.pop()?.name, name);
      continue;
    }
    const element = {
      name,
      attributes: Object.fromEntries([...attributes.matchAll(/ ([^=]+)="([^"]*)"/g)].map(([, key, value]) => [key, value])),
      text: '',
    };
    elements.push(element);
    if (!empty) open.push(element);
    else assert.ok(open.length > 0);
    assert.ok(open.length > 0 || rest === '');
  }
  assert.equal(open.length, 0);
  return elements;
}

const ELEMENTS = ['svg', 'title', 'desc', 'style', 'defs', 'marker', 'path', 'rect', 'g', 'text', 'line'];
const textsOf = (elements: readonly Element[], name: string) => elements.filter((element) => element.name === name).map(({ text }) => text);

describe('drawSvg', () => {
  it('is well-formed, with every node and edge', () => {
    for (const graph of assortedGraphs(50)) {
      const elements = parseXml(drawSvg(graph, 'graph'));
      const having = (attribute: string, value: string) => elements.filter(({ attributes }) => attributes[attribute] === value).length;
      assert.equal(having('class', 'node'), graph.nodes.length);
      assert.equal(having('class', 'edge'), graph.edges.length);
      assert.equal(having('class', 'group'), new Set(graph.nodes.flatMap(({ group }) => group ?? [])).size);
    }
  });

  it('names and describes itself for those who do not see it', () => {
    const [svg, title, desc] = parseXml(drawSvg(graphOf('extract load<extract'), 'sales'));
    assert.deepEqual([svg?.attributes['role'], title?.name, title?.text], ['img', 'title', 'sales']);
    assert.deepEqual([desc?.name, desc?.text], ['desc', 'extract\nload  after extract']);
  });

  it('is the same document on light and dark pages, without scripts or anything to fetch', () => {
    const svg = drawSvg(graphOf('a b<a'), 'graph');
    assert.match(svg, /prefers-color-scheme: dark/);
    assert.deepEqual(svg.match(/https?:[^"]*/g), ['http://www.w3.org/2000/svg']);
    for (const { name, attributes } of parseXml(svg)) {
      assert.ok(ELEMENTS.includes(name), name);
      assert.ok(Object.keys(attributes).every((key) => !/^on|href/.test(key)));
    }
  });

  it('dashes what runs after the tasks, under the name of its phase', () => {
    const elements = parseXml(drawSvg(graphOf('a finally/b'), 'graph'));
    assert.deepEqual(elements.filter(({ attributes }) => attributes['class'] === 'node later').length, 1);
    assert.ok(textsOf(elements, 'text').includes('finally'));
  });

  it('lets no text break out', () => {
    for (const title of HOSTILE_TEXTS) {
      const elements = parseXml(drawSvg(HOSTILE_GRAPH, title));
      assert.ok(elements.every(({ name }) => ELEMENTS.includes(name)));
      const [own, ...titles] = textsOf(elements, 'title');
      assert.equal(own, plainText(title));
      const expected = HOSTILE_TEXTS.map((text) => plainText(text && `${text}: ${text}`));
      assert.deepEqual(titles.sort(), expected.sort());
    }
  });

  it('draws an empty graph', () => assert.ok(parseXml(drawSvg(graphOf(''), 'empty')).length > 0));
});
