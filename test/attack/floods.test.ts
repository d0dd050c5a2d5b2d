// Floods: more connections, hellos, frames and contacts than anybody honest has, from a process of its own, while a
// contact is being recorded.
import { setTimeout as sleep } from 'node:timers/promises';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MAX_PAGES, MAX_PENDING, MAX_WAITING_PAGES } from '../../main/server/connections.ts';
import { MAX_CONTACTS } from '../../main/session/reducer.ts';
import { agent, type AnyReply } from '../rig/recorder.ts';
import type { Victim } from '../rig/victim.ts';
import { startFlood, startVictim } from '../rig/victim.ts';

const SECONDS = 1.5;
const gaps: string[] = [];
let victim: Victim;
let quietDescriptors: number;

beforeAll(async () => {
  victim = await startVictim();
  quietDescriptors = await descriptors();
});
afterAll(() => victim.stop());

const descriptors = async (): Promise<number> => (await readdir(`/proc/${victim.recorder.pid}/fd`)).length;

/** Says hello until the answer is the wanted one, as a client does whose place a flood took before it was answered. */
async function helloUntil(isWanted: (reply: AnyReply) => boolean): Promise<void> {
  const hello = async (): Promise<boolean> => {
    const page = await victim.recorder.connect({ hello: false }).catch(() => null);
    if (page === null) return false;
    const reply = page.request('hello', { protocol: 1, ...agent });
    const answer = await Promise.race([reply, page.closed.then(() => null)]);
    page.socket.terminate();
    return answer !== null && isWanted(answer);
  };
  await expect.poll(hello, { timeout: 2 * SECONDS * 1000, interval: 10 }).toBe(true);
}

/** Suspends and resumes in the middle of it. */
async function underFlood(name: string, during: () => Promise<void> = async () => {}): Promise<number> {
  const flood = startFlood(name, victim.recorder.port, SECONDS);
  await sleep((SECONDS * 1000) / 2);
  const suspendMs = await victim.suspendsSoon();
  gaps.push('suspended');
  await during();
  const sent = await flood.sent;
  console.log(`${name}: ${sent} in ${SECONDS} s, suspend acknowledged after ${Math.round(suspendMs)} ms`);
  return sent;
}

it.each(['idle connections', 'half requests', 'refused upgrades, half open', 'pages without hello'])(
  'of %s takes a bounded number of descriptors, and an honest new page gets in',
  async (name) => {
    const sent = await underFlood(name, async () => {
      await helloUntil(({ ok }) => ok);
      expect(await descriptors()).toBeLessThan(quietDescriptors + MAX_PENDING + MAX_WAITING_PAGES + 20);
    });
    expect(sent).toBeGreaterThan(MAX_WAITING_PAGES);
  },
);

it('of hellos takes a bounded number of descriptors', async () => {
  await underFlood('hellos');
  expect(await descriptors()).toBeLessThan(
    quietDescriptors + MAX_PAGES + MAX_WAITING_PAGES + MAX_PENDING + 20,
  );
});

it.each(['requests', 'frames before hello', 'suspends of unknown contacts', 'starts and stops', 'pings'])(
  'of %s keeps nobody else waiting',
  async (name) => {
    expect(await underFlood(name)).toBeGreaterThan(10);
  },
);

it('by a message in endless fragments is disconnected', async () => {
  await underFlood('a message in endless fragments');
});

it('of contacts ends at the number that an agent can have', async () => {
  expect(await underFlood('contacts')).toBeGreaterThan(1000);
  const { recordings } = await victim.page.ask<{ recordings: { contactId: string }[] }>('status');
  expect(recordings.length).toBe(MAX_CONTACTS);
  const one = { contactId: 'one-more', channel: 'VOICE' };
  expect(await victim.page.request('contact.start', one)).toMatchObject({
    ok: false,
    error: { code: 'TOO_MANY_REQUESTS', source: 'CLIENT' },
  });
  const flooded = recordings.filter(({ contactId }) => contactId.startsWith('flood-'));
  const answers = await Promise.all(
    flooded.map(({ contactId }) => victim.page.request('contact.stop', { contactId })),
  );
  expect(answers.filter(({ ok }) => ok)).toHaveLength(flooded.length);
});

it('of refused requests writes one line of the log for an origin and minute', async () => {
  await underFlood('refused upgrades of ever new origins');
  const log = await readFile(join(victim.recorder.dataDir, 'logs', 'sightline.log'), 'utf8').catch(() =>
    victim.recorder.stderr(),
  );
  const lines = log.split('\n').filter((line) => line.includes('"refused a request"'));
  expect(lines.filter((line) => line.includes('https://evil.example')).length).toBeLessThanOrEqual(2);
  expect(lines.length).toBeLessThan(30);
});

it('leaves the recording of the honest page whole, and Sightline ends in time', async () => {
  const contacts = await victim.recorder.events();
  expect(contacts.length).toBeGreaterThan(0);
  await victim.isRecordedWhole({ gaps });
  const flood = startFlood('refused upgrades, half open', victim.recorder.port, 1);
  await flood.sent;
  const asked = performance.now();
  expect(await victim.stop()).toBe(0);
  expect(performance.now() - asked).toBeLessThan(10_000);
});
