// Attacks on the port that the Sightlines of several users share, by real user ids: on the one that has it (the door), on
// those behind it (its guests), and by a program that pretends to be the door.
import { spawn } from 'node:child_process';
import { readFile, readdir, readlink } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { DOOR_PATH } from '../../main/server/port/doorProtocol.ts';
import { freePort } from '../rig/freePort.ts';
import { endWithUs } from '../rig/process.ts';
import { builtProgram, host } from '../rig/program.ts';
import { agent, startRecorder, type Recorder } from '../rig/recorder.ts';
import { asUser, homeOf, outputOf, pageOf, whyNoOtherUsers } from '../rig/users.ts';

const [FIRST, SECOND, ATTACKER] = [4241, 4242, 4244] as const;
const ORIGIN = 'https://acme.my.connect.aws';
const why = whyNoOtherUsers();
const leftOut = why === null ? '' : ` (left out: ${why})`;

async function startAs(
  uid: number,
  port: number,
  ...flags: string[]
): Promise<{ recorder: Recorder; stop: () => Promise<void> }> {
  const own = await homeOf(uid);
  const { home } = own;
  const recorder = await startRecorder({
    ...{ display: null, home, wrapper: asUser(uid), environment: { HOME: home } },
    flags: ['--allowed-domains', 'acme.my.connect.aws', '--port', String(port), ...flags],
  });
  return {
    recorder,
    stop: async () => {
      await recorder.stop();
      await own.remove();
    },
  };
}

const frame = (id: string, type: string, fields: object = {}): string =>
  JSON.stringify({ id, type, ...fields });
const hello = (uid: number): string => frame('1', 'hello', { protocol: 1, ...agent, agentArn: `arn:${uid}` });

/** The page of that user says hello: the name of the Sightline that answered, or its refusal. */
async function answered(uid: number, port: number): Promise<unknown> {
  const { refused, replies } = await pageOf(uid, port, ORIGIN, [hello(uid)]);
  return refused ?? replies?.[0]?.ok;
}

/** A reset of the connection may overtake the refusal: then it is asked again. */
async function definiteAnswer(uid: number, port: number): Promise<unknown> {
  let answer: unknown;
  while (answer === undefined) answer = await answered(uid, port);
  return answer;
}

const wsHeaders = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
};
/** The status of an upgrade that a program of that user requests. */
async function upgradeAs(
  uid: number,
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<number> {
  const program = `
    const [port, path, headers] = JSON.parse(process.argv[1]);
    const request = require('node:http').request({ host: '127.0.0.1', port, path, headers, agent: false });
    const say = ({ statusCode }) => { console.log(statusCode); process.exit(0); };
    request.on('upgrade', say).on('response', say).end();`;
  const words = JSON.stringify([port, path, { ...wsHeaders, ...headers }]);
  return Number(await outputOf(uid, process.execPath, ['-e', program, words]));
}

describe.skipIf(why !== null)(`the door and its guest${leftOut}`, () => {
  let port: number;
  let door: Awaited<ReturnType<typeof startAs>>;
  let guest: Awaited<ReturnType<typeof startAs>>;

  beforeAll(async () => {
    port = await freePort();
    door = await startAs(FIRST, port);
    guest = await startAs(SECOND, port);
  });
  afterAll(async () => {
    await guest.stop();
    await door.stop();
  });

  it('serve their own users’ pages, and a user without a Sightline is refused', async () => {
    expect(guest.recorder.port).toBe(port);
    expect(await answered(FIRST, port)).toBe(true);
    expect(await answered(SECOND, port)).toBe(true);
    expect(await answered(ATTACKER, port)).toBe(403);
    expect(guest.recorder.stderr()).toContain(
      'another program has the port, and hands over the connections of this user',
    );
  });

  it.each([
    ['a page of an allowed origin', SECOND, { Origin: ORIGIN }],
    ['a page of the attacker’s', ATTACKER, { Origin: 'http://localhost:1' }],
    ['a page whose name was rebound to 127.0.0.1', ATTACKER, { Host: 'evil.example' }],
    ['a second program of a user who has a Sightline behind the door', SECOND, {}],
    ['a second program of the door’s own user', FIRST, {}],
  ])('let nobody join who is %s', async (_, uid, headers) => {
    expect(await upgradeAs(uid, port, DOOR_PATH, headers)).toBe(403);
    expect(await answered(SECOND, port)).toBe(true);
  });

  it.each([
    ['of another user', ATTACKER],
    ['of a guest’s user', SECOND],
    ['of the door’s user', FIRST],
  ])('hand no connection to a program %s that guesses', async (_, uid) => {
    for (const id of ['', 'A'.repeat(22), '../v1', '%00', 'x'.repeat(5000)])
      expect(await upgradeAs(uid, port, `${DOOR_PATH}/${id}`)).toBe(403);
  });

  it('offer an attacker who joins his own connections, and no others', async () => {
    const program = `
      const { WebSocket } = require(${JSON.stringify(fileURLToPath(import.meta.resolve('ws')).replace('wrapper.mjs', 'index.js'))});
      const link = new WebSocket('ws://127.0.0.1:${port}${DOOR_PATH}');
      let offers = 0;
      link.on('message', () => (offers += 1));
      link.on('open', () => { console.log('joined'); process.stdin.once('data', () => { console.log('offers ' + offers); process.exit(0); }); });`;
    const child = spawn(process.execPath, ['-e', program], {
      ...{ uid: ATTACKER, gid: ATTACKER, cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] },
    });
    endWithUs(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('joined');
    expect(await answered(SECOND, port)).toBe(true);
    expect(await answered(FIRST, port)).toBe(true);
    // Offered to him, who does not collect it: closed within the deadline.
    await expect(pageOf(ATTACKER, port, ORIGIN, [hello(ATTACKER)])).resolves.toMatchObject({
      error: expect.stringContaining('hang up') as string,
    });
    child.stdin.write('\n');
    expect((await lines.next()).value).toBe('offers 1');
  });

  it('satisfy doctor, also of a user whose Sightline does not run', async () => {
    const portCheckOf = async (uid: number, home: string): Promise<unknown> => {
      const { stdout } = await host.run({
        args: ['doctor', '--json', '--port', String(port), '--data-dir', `${home}/data`],
        ...{ display: null, environment: { HOME: home }, wrapper: asUser(uid) },
      });
      const { checks } = JSON.parse(stdout) as {
        checks: { name: string; verdict: string; evidence: string }[];
      };
      return checks.find(({ name }) => name === 'port');
    };
    expect(await portCheckOf(SECOND, guest.recorder.home)).toMatchObject({
      verdict: 'ok',
      evidence: expect.stringContaining("which hands over this user's connections") as string,
    });
    const own = await homeOf(ATTACKER);
    onTestFinished(() => own.remove());
    expect(await portCheckOf(ATTACKER, own.home)).toMatchObject({
      verdict: 'ok',
      evidence: expect.stringContaining("once this user's Sightline runs") as string,
    });
  });

  it('have one listener: the guest listens nowhere', async () => {
    const listening = async (recorder: Recorder): Promise<number> => {
      const tables = await Promise.all(
        ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
      );
      const rows = tables.flatMap((table) => table.split('\n')).map((line) => line.trim().split(/\s+/));
      const inodes = rows.filter(([, , , state]) => state === '0A').map((row) => `socket:[${row[9]}]`);
      const folder = `/proc/${recorder.pid}/fd`;
      const links = await Promise.all(
        (await readdir(folder)).map((name) => readlink(`${folder}/${name}`).catch(() => '')),
      );
      return links.filter((link) => inodes.includes(link)).length;
    };
    expect(await listening(door.recorder)).toBeGreaterThan(0);
    expect(await listening(guest.recorder)).toBe(0);
  });

  it('serve the others while one of them hangs', async () => {
    guest.recorder.kill('SIGSTOP');
    try {
      const late = pageOf(SECOND, port, ORIGIN, [hello(SECOND)]);
      expect(await answered(FIRST, port)).toBe(true);
      expect(await late).toMatchObject({ error: expect.stringContaining('hang up') as string });
    } finally {
      guest.recorder.kill('SIGCONT');
    }
    expect(await answered(SECOND, port)).toBe(true);
  });

  it('let a guest’s page in while another user floods the port', async () => {
    const flood = spawn(
      process.execPath,
      [
        '-e',
        `const { connect } = require('node:net');
        const open = () => connect(${port}, '127.0.0.1').on('error', () => {}).on('close', () => setImmediate(open));
        for (let count = 0; count < 600; count += 1) open();
        console.log('floods');`,
      ],
      { uid: ATTACKER, gid: ATTACKER, cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] },
    );
    endWithUs(flood);
    onTestFinished(() => void flood.kill('SIGKILL'));
    await createInterface({ input: flood.stdout })[Symbol.asyncIterator]().next();
    for (const uid of [FIRST, SECOND])
      await expect.poll(() => answered(uid, port).catch(() => null)).toBe(true);
  });

  it('the door ends: the guest takes the port', async () => {
    await door.stop();
    await expect.poll(() => answered(SECOND, port).catch(() => null)).toBe(true);
    expect(await answered(FIRST, port)).toBe(403);
    door = await startAs(FIRST, port);
    expect(await answered(FIRST, port)).toBe(true);
  });
});

it.skipIf(why !== null)(
  `a program that pretends to be the door reaches no recorder behind it${leftOut}`,
  async () => {
    const port = await freePort();
    const program = fileURLToPath(new URL('../rig/hostileDoor.mjs', import.meta.url));
    const hostile = spawn(process.execPath, [program, String(port)], {
      ...{ uid: ATTACKER, gid: ATTACKER, cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] },
    });
    endWithUs(hostile);
    const lines = createInterface({ input: hostile.stdout });
    const said: Record<string, unknown>[] = [];
    lines.on('line', (line) => said.push(JSON.parse(line) as Record<string, unknown>));
    await expect.poll(() => said).toEqual([{ listening: true }]);
    const victim = await startAs(SECOND, port);
    onTestFinished(() => victim.stop());
    await expect.poll(() => said, { timeout: 30_000 }).toContainEqual({ left: true });
    const answers = said.filter(({ claim }) => claim !== undefined);
    expect(answers.map(({ claim }) => claim).sort()).toEqual(
      ['a connection of t', 'no connection at a', "the Sightline's ow"].map(
        (name) => expect.stringContaining(name.slice(0, 10)) as string,
      ),
    );
    // A reset of the connection may overtake the refusal.
    for (const { answer } of answers)
      if (answer !== '') expect(answer).toMatch(/^HTTP\/1\.1 403 .*PEER_REFUSED/s);
    // It left a door that sends what no door sends, and takes the port once that is free.
    await expect.poll(() => answered(SECOND, port).catch(() => null)).toBe(true);
  },
);

it.skipIf(why !== null)(
  `policy "sharedPort" is "system": no user's program is taken for the door, only one of the system's account${leftOut}`,
  async () => {
    const port = await freePort();
    const usersDoor = await startAs(ATTACKER, port);
    const victim = await startAs(SECOND, port, '--shared-port', 'system');
    onTestFinished(() => victim.stop());
    await expect.poll(() => victim.recorder.stderr()).toContain('ready');
    expect(await definiteAnswer(SECOND, port)).toBe(403);
    await usersDoor.stop();
    // Free by now, and it stays so: this Sightline does not open it.
    expect((await pageOf(SECOND, port, ORIGIN, [])).error).toContain('ECONNREFUSED');
    const door = spawn(process.execPath, [builtProgram, 'door', '--port', String(port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    endWithUs(door);
    onTestFinished(() => void door.kill());
    await expect.poll(() => answered(SECOND, port).catch(() => null), { timeout: 10_000 }).toBe(true);
    expect(await answered(FIRST, port)).toBe(403);
    expect(await upgradeAs(ATTACKER, port, `${DOOR_PATH}/${'A'.repeat(22)}`)).toBe(403);
    // Another user's Sightline joins it, whatever its policy.
    const other = await startAs(FIRST, port);
    onTestFinished(() => other.stop());
    expect(await answered(FIRST, port)).toBe(true);
    expect(await answered(SECOND, port)).toBe(true);
  },
);
