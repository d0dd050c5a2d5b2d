// The demo is the first thing that a newcomer runs: it must work with nothing but its own set-up, and its --json line
// is what programs read.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodesCleanly, probe } from '../rig/mp4.ts';

const script = fileURLToPath(new URL('../../scripts/demo.ts', import.meta.url));
let out: string;
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'sightline-demo-'));
});
afterAll(() => rm(out, { recursive: true, force: true }));

function demo(...args: string[]) {
  const { DISPLAY: _, ...environment } = process.env;
  return spawnSync(process.execPath, ['--import', 'tsx', script, ...args], {
    encoding: 'utf8',
    env: environment,
  });
}

it('records a contact and prints one JSON object as its last line', async () => {
  const { status, stdout } = demo('--seconds', '4', '--out', out, '--json');
  expect(status).toBe(0);
  const told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
    mp4: string;
    durationMs: number;
    suspensions: unknown[];
    events: { detail: { recordingStatus: string } }[];
  };
  expect(told).toMatchObject({ encoder: 'libopenh264', width: 1280, height: 720 });
  expect(Object.keys(told)).toEqual(
    'mp4 manifest durationMs sizeBytes encoder width height suspensions events'.split(' '),
  );
  expect(Math.abs(told.durationMs - 4000)).toBeLessThan(400);
  expect(told.suspensions).toHaveLength(1);
  expect(told.events.map((one) => one.detail.recordingStatus)).toEqual([
    ...['INITIATED', 'COMPLETED', 'PUBLISHED'],
  ]);
  expect(await decodesCleanly(told.mp4)).toBe('');
  expect(Math.abs((await probe(told.mp4)).durationMs - told.durationMs)).toBeLessThanOrEqual(200);
});

it('says what is wrong with its options', () => {
  const { status, stderr } = demo('--seconds', 'soon');
  expect(status).toBe(64);
  expect(stderr).toContain('usage: npm run demo');
});
