// The record of a running Sightline, in a real folder. The built program with it is in test/integration/deskEvents.test.ts.
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RunMark } from '../../../main/fleet/runMark.ts';
import { temporaryFolder } from '../support/folders.ts';
import { keepingLogger } from '../support/logs.ts';

const MINUTE = 60_000;

async function bench(dataDir?: string) {
  const folder = dataDir ?? (await temporaryFolder());
  const { log, lines } = keepingLogger();
  const time = { now: Date.now() };
  const newMark = (): RunMark =>
    new RunMark({ dataDir: folder, appVersion: '1.2.3', log, now: () => time.now });
  return { folder, lines, time, newMark, files: async () => (await readdir(folder)).sort() };
}

describe('an end', () => {
  it('of a process that is gone is found once it is settled, and not again', async () => {
    const { newMark, time, files } = await bench();
    const first = newMark();
    expect(await first.begin()).toEqual([]);
    time.now += 5 * MINUTE;
    await first.alive();
    const lastAlive = time.now;
    time.now += 20 * MINUTE;
    const [end, ...others] = await newMark().begin();
    expect(others).toEqual([]);
    expect(end?.info).toMatchObject({
      ...{ cause: 'unexpected', appVersion: '1.2.3', contactWasOn: false, startTime: first.startTime },
      returnTime: new Date(time.now).toISOString(),
    });
    expect(Math.abs(Date.parse(end?.info.endTime ?? '') - lastAlive)).toBeLessThan(1000);
    await end?.settle();
    expect(await files()).toEqual(['run.json']);
  });

  it('that is not settled is found by each start, with the same id', async () => {
    const { newMark } = await bench();
    await newMark().begin();
    const [end] = await newMark().begin();
    const later = await newMark().begin();
    expect(later).toHaveLength(2);
    expect(later.map((one) => one.deduplicationId)).toContain(end?.deduplicationId);
  });

  it('on purpose that was not announced has its cause at the next start', async () => {
    const { newMark, files } = await bench();
    const mark = newMark();
    await mark.begin();
    await mark.contactsAreOn(true);
    const end = await mark.end('agent-quit');
    expect(await mark.end('terminated')).toBeNull();
    // A contact that ends on the way must not bring the record of a running Sightline back.
    await mark.contactsAreOn(false);
    expect((await files()).filter((name) => name === 'run.json')).toEqual([]);
    const [found] = await newMark().begin();
    expect(found?.deduplicationId).toBe(end?.deduplicationId);
    expect(found?.info).toMatchObject({ cause: 'agent-quit', contactWasOn: true });
    await found?.settle();
    await end?.settle();
    expect(await files()).toEqual(['run.json']);
  });

  it('is found in spite of what anyone puts there: no record, a huge one, folders, thousands', async () => {
    const { folder, newMark, lines } = await bench();
    await writeFile(join(folder, 'run.json'), `{"runId":"${'x'.repeat(100_000)}"}`);
    await mkdir(join(folder, 'run-ended.unexpected.00000000-0000-4000-8000-000000000000.json'));
    await writeFile(join(folder, 'run-ended.made-up.00000000-0000-4000-8000-000000000001.json'), '');
    await writeFile(join(folder, 'run-ended.shutdown.../../etc.json'.replaceAll('/', '_')), '');
    const ends = await newMark().begin();
    expect(ends.map(({ info }) => info.cause)).toEqual(['unexpected']);
    for (const { info } of ends) expect(info).not.toHaveProperty('startTime');
    for (let index = 0; index < 2000; index += 1)
      await writeFile(
        join(folder, `run-ended.unexpected.00000000-0000-4000-8000-${String(index).padStart(12, '1')}.json`),
        '',
      );
    expect(await newMark().begin()).toHaveLength(20);
    expect(lines).toEqual([]);
  });

  it('without a data folder that works is logged, and nothing more', async () => {
    const { folder, lines, newMark } = await bench();
    await writeFile(join(folder, 'file'), '');
    const inFile = await bench(join(folder, 'file'));
    const mark = inFile.newMark();
    expect(await mark.begin()).toEqual([]);
    await mark.alive();
    await mark.contactsAreOn(true);
    expect(await mark.end('terminated')).toMatchObject({ info: { cause: 'terminated' } });
    expect(inFile.lines.length).toBeGreaterThan(0);
    expect(lines).toEqual([]);
    await newMark().begin();
    expect(await readFile(join(folder, 'run.json'), 'utf8')).toContain('1.2.3');
  });
});
