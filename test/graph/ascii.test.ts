import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { drawAscii, listAscii } from '../../graph/ascii.ts';
import { clip, columnsOf, plainText } from '../../graph/text.ts';
import { assortedGraphs, graphOf, HOSTILE_GRAPH } from '../support/drawn-graphs.ts';
import { boxesIn, traceAscii } from '../support/trace-ascii.ts';
import { caseCount } from '../support/random-cases.ts';

const ANY_SIZE = { maxNodes: Infinity, maxColumns: Infinity };

const PICTURES: [name: string, graph: string, picture: string][] = [
  [
    'a chain',
    'extract transform<extract load<transform',
    `
 ┌─────────┐
 │ extract │
 └────┬────┘
      ▼
┌───────────┐
│ transform │
└─────┬─────┘
      ▼
  ┌──────┐
  │ load │
  └──────┘`,
  ],
  [
    'a diamond',
    'start left<start right<start join<left,right',
    `
     ┌───────┐
     │ start │
     └───┬───┘
    ┌────┴────┐
    ▼         ▼
┌──────┐  ┌───────┐
│ left │  │ right │
└───┬──┘  └───┬───┘
    └────┬────┘
         ▼
     ┌──────┐
     │ join │
     └──────┘`,
  ],
  [
    'a fan-out and a fan-in',
    'split a<split b<split c<split d<split merge<a,b,c,d',
    `
         ┌───────┐
         │ split │
         └───┬───┘
  ┌──────┬───┴──┬──────┐
  ▼      ▼      ▼      ▼
┌───┐  ┌───┐  ┌───┐  ┌───┐
│ a │  │ b │  │ c │  │ d │
└─┬─┘  └─┬─┘  └─┬─┘  └─┬─┘
  └──────┴───┬──┴──────┘
             ▼
         ┌───────┐
         │ merge │
         └───────┘`,
  ],
  [
    'a long edge',
    'extract clean<extract check<clean load<check,extract',
    `
   ┌─────────┐
   │ extract │
   └────┬────┘
    ┌───┴──┐
    ▼      │
┌───────┐  │
│ clean │  │
└───┬───┘  │
    ▼      │
┌───────┐  │
│ check │  │
└───┬───┘  │
    └───┬──┘
        ▼
    ┌──────┐
    │ load │
    └──────┘`,
  ],
  [
    'lines that cross',
    'a b c d<a,b e<b,c f<a,c',
    `
   ┌───┐  ┌───┐  ┌───┐
   │ b │  │ a │  │ c │
   └─┬─┘  └─┬─┘  └─┬─┘
  ┌──┴──────│┐ ┌───┴─────┐
  │   ┌─────┴│─│──────┐  │
  ▼   ▼      ▼ ▼      ▼  ▼
┌──────┐  ┌──────┐  ┌──────┐
│ d    │  │ e    │  │ f    │
└──────┘  └──────┘  └──────┘`,
  ],
  [
    'a group, kept together',
    'start load.a<start other<start load.b<load.a load.c<load.a end<load.b,load.c,other',
    `
                 ┌───────┐
                 │ start │
                 └───┬───┘
              ┌──────┴──────┐
              ▼             ▼
         ┌────────┐     ┌───────┐
         │ load.a │     │ other │
         └────┬───┘     └───┬───┘
     ┌────────┴──┐      ┌───┘
     ▼           ▼      │
┌────────┐  ┌────────┐  │
│ load.b │  │ load.c │  │
└────┬───┘  └────┬───┘  │
     └─────────┬─┴──────┘
               ▼
            ┌─────┐
            │ end │
            └─────┘`,
  ],
  [
    'two components',
    'a1 b1 a2<a1 b2<b1 a3<a2',
    `
┌────┐  ┌────┐
│ a1 │  │ b1 │
└──┬─┘  └──┬─┘
   ▼       ▼
┌────┐  ┌────┐
│ a2 │  │ b2 │
└──┬─┘  └────┘
   ▼
┌────┐
│ a3 │
└────┘`,
  ],
  [
    'a switch, and a rule that all its lines share',
    'decide large<decide:large small<decide:default report<large:one_success,small:one_success',
    `
     ┌────────┐
     │ decide │
     └────┬───┘
    ┌─────┴────┐
  large     default
    ▼          ▼
┌───────┐  ┌───────┐
│ large │  │ small │
└───┬───┘  └───┬───┘
    └─────┬────┘
     one_success
          ▼
    ┌───────────┐
    │ report    │
    └───────────┘`,
  ],
  [
    'lines with and without a label',
    'decide other next<decide:yes,other',
    `
┌────────┐  ┌───────┐
│ decide │  │ other │
└────┬───┘  └───┬───┘
     └────┐   ┌─┘
         yes  │
          ▼   ▼
      ┌─────────┐
      │ next    │
      └─────────┘`,
  ],
  [
    'later phases, dashed',
    'work on_failure/page finally/release finally/report<release',
    `
┌──────┐
│ work │
└──────┘

── on_failure ──

┌╌╌╌╌╌╌┐
╎ page ╎
└╌╌╌╌╌╌┘

── finally ──

┌╌╌╌╌╌╌╌╌╌┐
╎ release ╎
└╌╌╌╌┬╌╌╌╌┘
     ▼
┌╌╌╌╌╌╌╌╌┐
╎ report ╎
└╌╌╌╌╌╌╌╌┘`,
  ],
];

describe('drawAscii', () => {
  for (const [name, graph, picture] of PICTURES) {
    it(`draws ${name}`, () => assert.equal(`\n${drawAscii(graphOf(graph), ANY_SIZE)}`, picture));
  }

  it('writes details under labels', () => {
    const graph = { nodes: [{ id: 'a', label: 'load', detail: 'sql' }], edges: [] };
    assert.equal(drawAscii(graph, ANY_SIZE), '┌──────┐\n│ load │\n│ sql  │\n└──────┘');
  });

  it('can be read back: following the lines gives the edges, no more and no fewer', () => {
    let seen = 0;
    for (const graph of assortedGraphs(caseCount(400))) {
      const picture = drawAscii(graph, ANY_SIZE) ?? '';
      assert.equal(boxesIn(picture).length, graph.nodes.length, picture);
      assert.deepEqual(traceAscii(picture), graph.edges.map(({ from, to }) => `${from}→${to}`).sort(), picture);
      seen += graph.edges.length;
    }
    assert.ok(seen > caseCount(3_000));
  });

  it('keeps its lines in line for any texts', () => {
    const rows = (drawAscii(HOSTILE_GRAPH, ANY_SIZE) ?? '').split('\n');
    assert.ok(rows.every((row) => !/[\p{Cc}\p{Cf}\p{Cs}]/u.test(row)));
    for (const [index, row] of rows.entries()) {
      const edge = /^( *)(┌─+┐)$/.exec(row);
      if (edge) assert.equal(columnsOf(rows[index + 1] ?? ''), columnsOf(row));
    }
  });

  it('draws nothing as nothing', () => assert.equal(drawAscii(graphOf(''), ANY_SIZE), ''));

  it('leaves what is too large to a list', () => {
    const graph = graphOf('a b<a');
    assert.equal(drawAscii(graph, { maxNodes: 1, maxColumns: 100 }), undefined);
    assert.equal(drawAscii(graph, { maxNodes: 2, maxColumns: 4 }), undefined);
    assert.ok(drawAscii(graph, { maxNodes: 2, maxColumns: 5 }));
  });
});

describe('listAscii', () => {
  for (const [graph, list] of [
    ['', ''],
    ['a b<a c<a,b', 'a\nb  after a\nc  after a, b'],
    ['a b c<a:yes,b', 'a\nb\nc  after a (yes), b'],
    ['a b c<a:all_done,b:all_done d<c:yes', 'a\nb\nc  after a, b (all: all_done)\nd  after c (yes)'],
    ['a b<nobody finally/z finally/y<z', 'a\nb\n\n── finally ──\nz\ny  after z'],
  ] as const) {
    it(graph || 'nothing', () => assert.equal(listAscii(graphOf(graph)), list));
  }
});

describe('text of pictures', () => {
  for (const [text, plain, columns] of [
    ['plain', 'plain', 5],
    ['two\nlines\t\u0007!', 'two lines !', 11],
    ['\u001b[31mred', '[31mred', 7],
    ['\u202eevil\u200b', 'evil', 4],
    ['日本', '日本', 4],
    ['🦥!', '🦥!', 3],
    ['🇪🇺', '🇪🇺', 2],
    ['e\u0301', 'e\u0301', 1],
    ['\ud800 \uffff', '', 0],
  ] as const) {
    it(JSON.stringify(text), () => assert.deepEqual([plainText(text), columnsOf(plainText(text))], [plain, columns]));
  }

  for (const [text, columns, clipped] of [
    ['short', 5, 'short'],
    ['longer', 5, 'long…'],
    ['a b c', 4, 'a b…'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
  ] as const) {
    it(`${text} in ${columns} columns`, () => assert.equal(clip(text, columns), clipped));
  }
});
