// `npx tsx scripts/bench-chart.ts FILE...`: draws docs/pictures/peers.svg from saved outputs of `npm run bench:peers` (or bench:desk;
// their last line is JSON): CPU as the ratio to plain libopenh264 in the same group, and kB a minute, by scene.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SceneResult, Weight } from '../test/bench/weigh.ts';

const BAR = 16;
const LABEL = 130;
const PLOT = 330;
const COLUMN = LABEL + PLOT + 90;

interface Chart {
  readonly title: string;
  value(weight: Weight): number;
  text(weight: Weight): string;
}

const charts: readonly Chart[] = [
  {
    title: 'CPU, as a ratio to plain libopenh264 (% of a core)',
    value: (one) => one.ratio ?? 0,
    text: (one) => `${(one.ratio ?? 0).toFixed(2)} (${one.percentOfCore.toFixed(1)} %)`,
  },
  {
    title: 'kB a minute of the scene, without the first key frame',
    value: (one) => one.sceneKilobytesPerMinute,
    text: (one) => Math.round(one.sceneKilobytesPerMinute).toLocaleString('en'),
  },
];

const results = process.argv.slice(2).flatMap((file) => {
  const last = readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? '';
  return (JSON.parse(last) as { results: SceneResult[] }).results;
});
if (results.length === 0) throw new Error('Name at least one saved output of `npm run bench:peers`.');
const picture = fileURLToPath(new URL('../docs/pictures/peers.svg', import.meta.url));
writeFileSync(picture, svgOf(byScene(results)));
console.log(picture);

/** Each recorder once a scene: the yardstick runs in every group. */
function byScene(all: readonly SceneResult[]): Map<string, Weight[]> {
  const scenes = new Map<string, Weight[]>();
  for (const { scene, weights } of all) {
    const known = scenes.get(scene) ?? [];
    known.push(...weights.filter((one) => known.every(({ recorder }) => recorder !== one.recorder)));
    scenes.set(scene, known);
  }
  return scenes;
}

function svgOf(scenes: Map<string, Weight[]>): string {
  const parts: string[] = [];
  let y = 30;
  charts.forEach(({ title }, index) => parts.push(text(index * COLUMN, 16, title, 'font-weight="bold"')));
  for (const [scene, weights] of scenes) {
    parts.push(text(0, (y += 14), scene, 'font-weight="bold"'));
    charts.forEach((chart, index) => {
      const largest = Math.max(...weights.map((one) => chart.value(one)));
      weights.forEach((one, row) => parts.push(bar(index * COLUMN, y + 6 + row * BAR, one, chart, largest)));
    });
    y += weights.length * BAR + 14;
  }
  const width = charts.length * COLUMN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${y}" fill="#fff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function bar(x: number, y: number, one: Weight, chart: Chart, largest: number): string {
  const length = largest === 0 ? 0 : Math.round((chart.value(one) / largest) * PLOT);
  const colour = one.recorder === 'sightline' ? '#1d6fb8' : '#9aa7b4';
  return [
    text(x + LABEL - 8, y + 11, one.recorder, 'text-anchor="end"'),
    `<rect x="${x + LABEL}" y="${y + 2}" width="${length}" height="${BAR - 4}" fill="${colour}"/>`,
    text(x + LABEL + length + 5, y + 11, chart.text(one)),
  ].join('\n');
}

function text(x: number, y: number, words: string, more = ''): string {
  return `<text x="${x}" y="${y}" fill="#1b2733" ${more}>${words}</text>`;
}
