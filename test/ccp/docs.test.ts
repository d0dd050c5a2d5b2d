// The HTML of docs/protocol.md, taken out of the page and run in Chromium against the real recorder.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { agent } from '../rig/recorder.ts';
import { useBench } from './bench.ts';

const bench = useBench();
const document = fileURLToPath(new URL('../../docs/protocol.md', import.meta.url));

/** The block under a heading, with the values that a reader fills in. */
async function sampleUnder(heading: string, port: number): Promise<string> {
  const text = await readFile(document, 'utf8');
  const [, after = ''] = text.split(`## ${heading}\n`);
  const sample = /```html\n([\s\S]*?)```/.exec(after)?.[1];
  if (sample === undefined) throw new Error(`no HTML under "${heading}"`);
  return sample
    .replace('127.0.0.1:5431', `127.0.0.1:${port}`)
    .replace("agentArn: 'arn:...'", `agentArn: '${agent.agentArn}'`)
    .replace("instanceArn: 'arn:...'", `instanceArn: '${agent.instanceArn}'`);
}

it('records, says why it cannot, and comes back after a restart of the recorder', async () => {
  const recorder = await bench.recorder();
  await bench.kill();
  const sample = await sampleUnder('The shortest page that records', recorder.port);
  bench.server.routes['/sample.html'] = `<!doctype html><meta charset="utf-8">${sample}`;
  const page = await bench.browser.newPage('about:blank');
  const said: string[] = [];
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
  await page.goto(`${bench.server.origin}/sample.html`);
  await expect.poll(() => said.join('\n'), { timeout: 20_000 }).toContain('error: Failed to fetch');
  const events = async () => (await bench.running.events()).map(({ detail }) => detail.recordingStatus);
  await bench.recorder();
  await expect.poll(() => said.join('\n'), { timeout: 20_000 }).toContain('recordingId');
  expect(await events()).toEqual(['INITIATED']);
  await bench.kill();
  await bench.recorder();
  const starts = (): number => said.filter((line) => line.includes('startTime')).length;
  await expect.poll(starts, { timeout: 20_000 }).toBe(2);
  // The same recording, not a second one.
  expect(await events()).toEqual(['INITIATED']);
});
