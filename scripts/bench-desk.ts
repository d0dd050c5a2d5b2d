// `npm run bench:desk`: what Sightline costs beside plain ffmpeg with libopenh264, on the same screen at the same time, scene by
// scene of an agent's day. Prints a table (Markdown) and, as its last line, the same as JSON. Linux only.
// Options: --scenes nothing,typing --seconds N --monitors 1|2|3 --seed N --recorders sightline,openh264 (also x264-veryfast, and
// NAME=PATH of another build's headless.mjs) --no-quality (neither lossless capture nor SSIM nor OCR) --ffmpeg PATH (of openh264).
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sceneNames } from '../test/bench/desk/day.ts';
import { startStage } from '../test/bench/desk/stage.ts';
import { machine } from '../test/bench/machine.ts';
import { recorderNamed, sceneNamed } from '../test/bench/names.ts';
import { YARDSTICK } from '../test/bench/recorders.ts';
import { tableOf } from '../test/bench/report.ts';
import { weighScene, type SceneResult } from '../test/bench/weigh.ts';

const { values } = parseArgs({
  options: {
    scenes: { type: 'string', default: sceneNames.join(',') },
    seconds: { type: 'string', default: '30' },
    monitors: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    recorders: { type: 'string', default: `sightline,${YARDSTICK}` },
    ffmpeg: { type: 'string' },
    'no-quality': { type: 'boolean', default: false },
  },
});
const scenes = values.scenes.split(',').map(sceneNamed);
const recorders = values.recorders.split(',').map((name) => recorderNamed(name, values.ffmpeg));
const [seconds, monitors, seed] = [values.seconds, values.monitors, values.seed].map(Number) as [
  number,
  number,
  number,
];

const folder = await mkdtemp(join(tmpdir(), 'sightline-bench-'));
const stage = await startStage(monitors);
const results: SceneResult[] = [];
try {
  for (const scene of scenes) {
    process.stderr.write(`bench: ${scene}, ${seconds} s\n`);
    const judgeQuality = !values['no-quality'];
    results.push(
      await weighScene(stage, recorders, { scene, seconds, seed, judgeQuality, folder: join(folder, scene) }),
    );
  }
} finally {
  await stage.stop();
  await rm(folder, { recursive: true, force: true });
}
console.log(`Machine: ${machine()}. ${monitors} x 1920x1080 at 5 fps, ${seconds} s a scene, seed ${seed}.\n`);
console.log(tableOf(results));
console.log(JSON.stringify({ machine: machine(), monitors, seconds, seed, results }));
