// What the benchmarks' options name: scenes and recorders.
import { chromiumRecorder } from './browserRecorder.ts';
import { sceneNames, type DeskScene } from './desk/day.ts';
import { obs, simpleScreenRecorder } from './desktopRecorders.ts';
import { plainOpenh264, plainX264, sightline, YARDSTICK, type BenchRecorder } from './recorders.ts';

export function sceneNamed(name: string): DeskScene {
  const found = sceneNames.find((one) => one === name);
  if (found === undefined) throw new Error(`${name} is none of the scenes ${sceneNames.join(', ')}`);
  return found;
}

/** @param ffmpeg of plain libopenh264, if not the one of this work tree */
export function recorderNamed(name: string, ffmpeg?: string): BenchRecorder {
  if (name === 'sightline') return sightline();
  if (name === YARDSTICK) return plainOpenh264(ffmpeg);
  if (name === 'obs') return obs;
  if (name === 'ssr') return simpleScreenRecorder;
  const [label = '', program] = name.split('=');
  if (program !== undefined) return sightline(label, { program });
  const [kind, option] = name.split('-');
  if (kind === 'sightline' && option !== undefined) return sightline(name, { flags: ['--quality', option] });
  if (kind === 'x264' && option !== undefined) return plainX264(option);
  if (kind === 'chromium' && option !== undefined) return chromiumRecorder(option);
  throw new Error(
    `${name} is none of sightline, sightline-QUALITY, ${YARDSTICK}, x264-PRESET, chromium-CODEC, obs, ssr, NAME=PATH of a headless.mjs`,
  );
}
