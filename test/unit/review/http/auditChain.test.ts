// The chain of the audit log: what follows from what, in whatever way the file is changed.
import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run, runOrThrow } from '../../../rig/process.ts';
import { silentLogger } from '../../../../main/platform/log.ts';
import { AuditLog } from '../../../../review/server/http/audit/log.ts';
import { readChain } from '../../../../review/server/http/audit/readChain.ts';
import { Once } from '../../../../review/server/http/audit/once.ts';
import { Refusals } from '../../../../review/server/http/audit/refusals.ts';
import type { AuditFact } from '../../../../review/server/http/audit/line.ts';

let folder: string;
let lines: string[];
const fact = (user: string): AuditFact => ({ user, role: 'viewer', action: 'download' });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-audit-'));
  const path = join(folder, 'audit.ndjson');
  const log = await AuditLog.open(path, silentLogger);
  await Promise.all(Array.from({ length: 300 }, (_, index) => log.add(fact(`user ${index}`))));
  await log.close();
  lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function chainOf(changed: readonly string[]) {
  const path = join(folder, 'changed.ndjson');
  await writeFile(path, `${changed.join('\n')}\n`);
  return readChain(path);
}

it('concurrent lines keep the order of the calls', async () => {
  expect(lines.map((line) => (JSON.parse(line) as AuditFact).user)).toEqual(
    Array.from({ length: 300 }, (_, index) => `user ${index}`),
  );
  expect(await chainOf(lines)).toMatchObject({ lines: 300, brokenAt: null, end: { number: 300 } });
});

it.each<[string, (all: string[]) => string[], number]>([
  ['changed', (all) => all.map((line, index) => (index === 2 ? line.replace('download', 'list') : line)), 4],
  ['removed', (all) => all.filter((_, index) => index !== 2), 3],
  ['exchanged', ([a, b, c, ...rest]) => [a!, c!, b!, ...rest], 2],
  ['repeated', (all) => [...all.slice(0, 3), all[2]!, ...all.slice(3)], 4],
  ['put in', (all) => [...all.slice(0, 3), '', ...all.slice(3)], 5],
  ['made unreadable', (all) => all.map((line, index) => (index === 2 ? line.slice(0, 40) : line)), 4],
  ['removed at the beginning', (all) => all.slice(1), 1],
])('a line that was %s shows', async (_, tamper, line) => {
  expect(await chainOf(tamper([...lines]))).toMatchObject({ brokenAt: line });
});

it('lines that were cut off stay covered, also two after each other', async () => {
  const path = join(folder, 'torn.ndjson');
  await writeFile(path, `${lines.slice(0, 3).join('\n')}\n{"number":4\n{"num`);
  const log = await AuditLog.open(path, silentLogger);
  await log.add(fact('next'));
  await log.close();
  expect(await readChain(path)).toMatchObject({ brokenAt: null, torn: [4, 5], end: { number: 4 } });
  const text = await readFile(path, 'utf8');
  for (const [from, to] of [
    ['{"number":4\n', '{"number":5\n'],
    ['{"num\n', '{"nun\n'],
    ['user 2', 'user 3'],
    ['{"num\n', ''],
  ]) {
    await writeFile(path, text.replace(from!, to!));
    expect((await readChain(path)).brokenAt).toBe(to === '' ? 5 : 6);
  }
});

it.each<[string, (path: string) => Promise<void>]>([
  ['written to', (path) => appendFile(path, '{"foreign":true}\n')],
  ['shortened', (path) => truncate(path, 10)],
  ['moved away', (path) => rename(path, `${path}.moved`)],
  ['replaced', async (path) => (await copyFile(path, `${path}.copy`), rename(`${path}.copy`, path))],
])('a file that was %s meanwhile gets no line more, until the server is started again', async (how, harm) => {
  const path = join(folder, `${how}.ndjson`);
  const log = await AuditLog.open(path, silentLogger);
  await log.add(fact('one'));
  await harm(path);
  const after = await readFile(path, 'utf8').catch(() => null);
  for (let count = 0; count < 3; count += 1)
    await expect(log.add(fact('two'))).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  expect(await readFile(path, 'utf8').catch(() => null)).toBe(after);
  await log.close();
  await expect(log.add(fact('three'))).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  const next = await AuditLog.open(path, silentLogger);
  await next.add(fact('four'));
  await next.close();
});

it('groups by time, waits for the same line, and tries again what failed', async () => {
  let now = 0;
  const once = new Once(1000, () => now);
  let written = 0;
  const write = (): Promise<void> => Promise.resolve().then(() => void (written += 1));
  await Promise.all([once.run('a', write), once.run('a', write), once.run('b', write)]);
  expect(written).toBe(2);
  now = 999;
  await once.run('a', write);
  expect(written).toBe(2);
  now = 1000;
  await once.run('a', write);
  expect(written).toBe(3);
  await expect(once.run('c', () => Promise.reject(new Error('full')))).rejects.toThrow('full');
  await once.run('c', write);
  expect(written).toBe(4);
});

it('refusals are counted, not listed', async () => {
  let now = 0;
  const added: AuditFact[] = [];
  const refusals = new Refusals({ add: (one) => Promise.resolve(void added.push(one)) }, () => now);
  const refused: AuditFact = {
    ...fact('mallory'),
    action: 'refused',
    address: '192.0.2.1',
    details: { code: 'NOT_FOUND' },
  };
  for (let count = 0; count < 1000; count += 1) await refusals.add(refused);
  now = 60_000;
  await refusals.add(refused);
  expect(added.map(({ details }) => details)).toEqual([
    { code: 'NOT_FOUND' },
    { code: 'NOT_FOUND', more: 999 },
  ]);
  for (let count = 0; count < 5000; count += 1)
    await refusals.add({ ...refused, address: `198.51.100.${count}` });
  expect(added.length).toBeLessThan(510);
});

it.skipIf(process.platform === 'win32' || process.getuid?.() !== 0)(
  'a full disk refuses everything, and what was cut off stays covered once there is room again',
  async (context) => {
    const disk = join(folder, 'disk');
    await mkdir(disk);
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
    context.skip(mounted.code !== 0, 'no file system can be mounted here');
    try {
      const path = join(disk, 'audit.ndjson');
      const log = await AuditLog.open(path, silentLogger);
      await log.add(fact('first'));
      await writeFile(join(disk, 'filler'), Buffer.alloc(60 * 1024)).catch(() => undefined);
      const many = Array.from({ length: 400 }, () => log.add(fact('x'.repeat(200))));
      const results = await Promise.allSettled(many);
      expect(results.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
      await rm(join(disk, 'filler'));
      await log.add(fact('last'));
      await log.close();
      expect(await readChain(path)).toMatchObject({ brokenAt: null });
    } finally {
      await runOrThrow('umount', [disk]);
    }
  },
);
