// `npm run demo:ccp` is what a customer sees first: it must run by itself, and what it leaves must be what it says.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Manifest } from '../../main/shared/manifest.ts';
import { decodesCleanly } from '../rig/mp4.ts';

const script = fileURLToPath(new URL('../../scripts/demo-ccp.ts', import.meta.url));
let out: string;
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'sightline-demo-ccp-'));
});
afterAll(() => rm(out, { recursive: true, force: true }));

function demo(...args: string[]) {
  const { DISPLAY: _, ...environment } = process.env;
  return spawnSync(process.execPath, ['--import', 'tsx', script, '--out', out, ...args], {
    encoding: 'utf8',
    env: environment,
  });
}

it('records a call, two chats and a task, and nothing of the payment', async () => {
  const { status, stdout, stderr } = demo('--seconds', '30', '--quick', '--json');
  expect(status, stderr).toBe(0);
  const { recordings } = JSON.parse(stdout.trim()) as { recordings: { mp4: string; manifest: Manifest }[] };
  const told = recordings.map(({ manifest }) => [
    manifest.contact.channel,
    ...new Set(manifest.suspensions.map(({ reason }) => reason)),
  ]);
  expect(told).toEqual([
    ['VOICE', 'card payment', 'suspended by the flow'],
    ['CHAT', 'card payment'],
    ['CHAT', 'card payment'],
    ['TASK'],
  ]);
  const [call] = recordings;
  expect(call!.manifest.contact.attributes).toEqual({ customerTier: 'gold' });
  expect(await decodesCleanly(call!.mp4)).toBe('');
});

it('says what is wrong with its options', () => {
  const { status, stderr } = demo('--seconds', '5');
  expect(status).toBe(64);
  expect(stderr).toContain('usage: npm run demo:ccp');
});
