// `npm run bench:peers`: Sightline beside other recorders in one run, whole process trees, scene by scene of an agent's day, all at
// 5 fps. Two cores cannot run nine recorders at once, so they record in groups, each with plain libopenh264 in it: compare by
// the ratio to it. Prints a table (Markdown) and, as its last line, the same as JSON. Linux only.
// Options: --scenes nothing,typing --seconds N --seed N --groups 'sightline,x264-veryfast;chromium-h264,chromium-vp8'.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sceneNames } from '../test/bench/desk/day.ts';
import { startStage } from '../test/bench/desk/stage.ts';
import { machine } from '../test/bench/machine.ts';
import { recorderNamed, sceneNamed } from '../test/bench/names.ts';
import { tableOf } from '../test/bench/report.ts';
import { weighScene, type SceneResult } from '../test/bench/weigh.ts';
import { YARDSTICK } from '../test/bench/recorders.ts';

const { values } = parseArgs({
  options: {
    scenes: { type: 'string', default: sceneNames.join(',') },
    seconds: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    groups: {
      type: 'string',
      default: 'sightline,x264-veryfast,x264-ultrafast;chromium-h264,chromium-vp8;chromium-vp9,ssr;obs',
    },
  },
});
const scenes = values.scenes.split(',').map(sceneNamed);
const groups = values.groups.split(';').map((names) => names.split(','));
const [seconds, seed] = [Number(values.seconds), Number(values.seed)];

const folder = await mkdtemp(join(tmpdir(), 'sightline-peers-'));
const stage = await startStage(1);
const results: SceneResult[] = [];
const failed = new Map<string, string>();
try {
  for (const scene of scenes) {
    for (const group of groups) {
      const names = group.filter((name) => !failed.has(name));
      if (names.length === 0) continue;
      process.stderr.write(`bench: ${scene}: ${names.join(', ')}\n`);
      const recorders = [YARDSTICK, ...names].map((name) => recorderNamed(name));
      results.push(
        await weighScene(stage, recorders, {
          ...{ scene, seconds, seed, judgeQuality: true, folder: join(folder, scene) },
          couldNotStart: (name, reason) => failed.set(name, reason),
        }),
      );
    }
  }
} finally {
  await stage.stop();
  await rm(folder, { recursive: true, force: true });
}
console.log(`Machine: ${machine()}. 1920x1080 at 5 fps, ${seconds} s a scene, seed ${seed}.`);
console.log(`Groups: ${values.groups}; ${YARDSTICK} in each.\n`);
console.log(tableOf(results));
for (const [name, reason] of failed) console.log(`\n${name} could not record: ${reason}`);
const failures = Object.fromEntries(failed);
console.log(JSON.stringify({ machine: machine(), monitors: 1, seconds, seed, results, failures }));
