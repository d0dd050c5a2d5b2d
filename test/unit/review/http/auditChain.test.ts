// The chain of the audit log: what follows from what, in whatever way the file is changed.
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
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

it('a line is refused while the file is not as the log left it, and accepted afterwards', async () => {
  const path = join(folder, 'foreign.ndjson');
  const log = await AuditLog.open(path, silentLogger);
  await log.add(fact('one'));
  await appendFile(path, '{"foreign":true}\n');
  await expect(log.add(fact('two'))).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  await log.add(fact('three'));
  await log.close();
  await expect(log.add(fact('four'))).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  expect(await readChain(path)).toMatchObject({ brokenAt: null, torn: [2], lines: 3 });
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
