// Another user of the same machine acts as the page: right Host, forged Origin, policy `auth` is `origin`. Sightline and
// the honest page are one user's, the attacker is another, by real user ids.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oneMonitor, startDesk, type Desk } from '../rig/desk.ts';
import { accessOf } from '../rig/control.ts';
import { endWithUs } from '../rig/process.ts';
import { host } from '../rig/program.ts';
import { agent, connectPage, startRecorder, type Recorder } from '../rig/recorder.ts';
import { asUser, homeOf, outputOf, pageOf, whyNoOtherUsers } from '../rig/users.ts';

const [VICTIM, ATTACKER] = [4241, 4242];
/** Has an account, without which doctor does not run. */
const NOBODY = 65534;
const ORIGIN = 'https://acme.my.connect.aws';
const frame = (id: string, type: string, fields: object): string => JSON.stringify({ id, type, ...fields });
const hello = frame('1', 'hello', { protocol: 1, ...agent });
const start = (contactId: string): string => frame('2', 'contact.start', { contactId, channel: 'VOICE' });
const stop = (contactId: string): string => frame('3', 'contact.stop', { contactId });
const curl = (...words: string[]): [string, string[]] => [
  process.execPath,
  [
    '-e',
    `const [port, path, method, headers] = JSON.parse(process.argv[1]);
    require('node:http').request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let body = '';
      response.on('data', (text) => (body += text));
      response.on('end', () => console.log(JSON.stringify({ status: response.statusCode, body })));
    }).end();`,
    ...words,
  ],
];

interface Answer {
  readonly status: number;
  readonly body: string;
}

const why = whyNoOtherUsers();

describe.skipIf(why !== null).each([
  ['an ordinary user', VICTIM, ATTACKER],
  ['root, against an ordinary user', VICTIM, 0],
  ['an ordinary user, against root', 0, ATTACKER],
])(`an attack by %s${why === null ? '' : ` (left out: ${why})`}`, (_, victim, attacker) => {
  let desk: Desk;
  let recorder: Recorder;
  let home: Awaited<ReturnType<typeof homeOf>>;

  beforeAll(async () => {
    [desk, home] = await Promise.all([startDesk({ monitors: oneMonitor }), homeOf(victim)]);
    recorder = await startRecorder({
      display: desk.display,
      home: home.home,
      flags: ['--allowed-domains', 'acme.my.connect.aws'],
      wrapper: asUser(victim),
      environment: { HOME: home.home },
    });
  });
  afterAll(async () => {
    await recorder.stop();
    await desk.stop();
    await home.remove();
  });

  const ask = async (path: string, method: string, headers: Record<string, string>): Promise<Answer> =>
    JSON.parse(
      await outputOf(attacker, ...curl(JSON.stringify([recorder.port, path, method, headers]))),
    ) as Answer;

  it('is refused before hello, and nothing is recorded; the code is in the body', async () => {
    const result = await pageOf(attacker, recorder.port, ORIGIN, [hello, start('stolen'), stop('stolen')]);
    expect(result).toEqual({
      refused: 403,
      body: expect.stringContaining('"code":"PEER_REFUSED"') as string,
    });
    expect(await recorder.events()).toEqual([]);
    expect(recorder.stderr()).toContain('"code":"PEER_REFUSED"');
  });

  it('is refused when its connection is closed before anybody can look', async () => {
    const tries = Array.from({ length: 4 }, (_unused, count) =>
      pageOf(attacker, recorder.port, ORIGIN, ['blind', hello, start(`blind-${count}`)]),
    );
    expect(await Promise.all(tries)).toEqual(tries.map(() => ({ sent: true })));
    // Whatever was let in would have been answered before this.
    const honest = await pageOf(victim, recorder.port, ORIGIN, [hello, frame('2', 'status', {})]);
    expect(honest.replies?.[1]).toMatchObject({ ok: true, recordings: [] });
    expect(await recorder.events()).toEqual([]);
  });

  it('learns nothing by http, not with the token of the control path either', async () => {
    const health = await ask('/v1/health', 'GET', { Origin: ORIGIN });
    expect(health.status).toBe(403);
    expect(JSON.parse(health.body)).toMatchObject({ code: 'PEER_REFUSED', source: 'CLIENT' });
    expect(health.body).not.toContain('version');
    // The test may read what only the victim should.
    const { token } = await accessOf(recorder).catch(() => ({ token: 'unreadable' }));
    expect((await ask('/v1/control/retry', 'POST', { Authorization: `Bearer ${token}` })).status).not.toBe(
      200,
    );
    expect(recorder.stderr()).not.toContain('the command line requested uploads now');
  });

  it('does not touch what the victim records', async () => {
    const contact = 'honest';
    const replies = await pageOf(victim, recorder.port, ORIGIN, [hello, start(contact)]);
    expect(replies.replies?.map(({ ok }) => ok)).toEqual([true, true]);
    const suspend = frame('2', 'contact.suspend', { contactId: contact });
    for (const frames of [
      [hello, suspend],
      [frame('1', 'hello', { protocol: 1, ...agent, agentArn: `${agent.agentArn}-other` })],
    ])
      expect((await pageOf(attacker, recorder.port, ORIGIN, frames)).refused).toBe(403);
    const ended = await pageOf(victim, recorder.port, ORIGIN, [hello, stop(contact)]);
    expect(ended.replies?.map(({ ok }) => ok)).toEqual([true, true]);
    await expect.poll(async () => (await recorder.published()).length, { timeout: 20_000 }).toBe(1);
    const [found] = await recorder.published();
    expect(found!.manifest.contact.contactId).toBe(contact);
    expect(found!.manifest.suspensions).toEqual([]);
    expect(found!.manifest.gaps).toEqual([]);
  });
});

it.skipIf(why !== null)(
  `another user on the same port of [::1]: doctor says so${why === null ? '' : ` (left out: ${why})`}`,
  async () => {
    const listener = spawn(
      process.execPath,
      [
        '-e',
        "const s = require('node:net').createServer().listen(0, '::1', () => console.log(s.address().port))",
      ],
      { uid: ATTACKER, gid: ATTACKER, cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] },
    );
    endWithUs(listener);
    const [said] = (await once(listener.stdout, 'data')) as [Buffer];
    const port = said.toString().trim();
    const own = await homeOf(NOBODY);
    const { home } = own;
    const recorder = await startRecorder({
      ...{ display: null, home, environment: { HOME: home }, wrapper: asUser(NOBODY) },
      flags: ['--port', port],
    });
    try {
      const flags = ['--json', '--port', port, '--data-dir', recorder.dataDir];
      const { stdout, stderr } = await host.run({
        ...{
          args: ['doctor', ...flags],
          display: null,
          environment: { HOME: home },
          wrapper: asUser(NOBODY),
        },
      });
      expect(stdout, stderr).not.toBe('');
      const { checks } = JSON.parse(stdout) as {
        checks: { name: string; verdict: string; evidence: string }[];
      };
      expect(checks.find(({ name }) => name === 'port')).toMatchObject({
        verdict: 'failed',
        evidence: expect.stringContaining(
          `but port ${port} of [::1] by a program that this user cannot see`,
        ) as string,
      });
    } finally {
      await recorder.stop();
      listener.kill();
      await own.remove();
    }
  },
);

it('the same user is let in', async () => {
  const recorder = await startRecorder({ display: null });
  try {
    const page = await connectPage(recorder.port);
    expect(await page.request('ping')).toMatchObject({ ok: true });
    await page.close();
  } finally {
    await recorder.stop();
  }
});
