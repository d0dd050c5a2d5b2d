import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { objectKey } from '../../../main/publisher/objectKey.ts';
import { manifestKey } from '../../../main/publisher/sink.ts';
import { temporaryFolder } from '../support/folders.ts';

const parts = {
  prefix: 'connect/<alias>/ScreenRecordings',
  instanceAlias: 'acme',
  instanceArn: 'arn:aws:connect:eu-central-1:123456789012:instance/11111111-aaaa',
  contactId: '6f2c1d3e-0a4b',
  startTime: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
};

describe('the name of a recording', () => {
  it('is AWS’s: prefix, date and contact, with the start to the second', () => {
    expect(objectKey(parts)).toBe(
      'connect/acme/ScreenRecordings/2026/01/02/6f2c1d3e-0a4b_20260102T030405Z.mp4',
    );
  });

  it('has date and time in UTC, to the last moment of a year', () => {
    expect(objectKey({ ...parts, startTime: Date.UTC(2026, 11, 31, 23, 59, 59, 999) })).toMatch(
      /\/2026\/12\/31\/6f2c1d3e-0a4b_20261231T235959Z\.mp4$/,
    );
    expect(objectKey({ ...parts, startTime: Date.UTC(2027, 0, 1) })).toMatch(
      /\/2027\/01\/01\/6f2c1d3e-0a4b_20270101T000000Z\.mp4$/,
    );
  });

  it('has the instance’s id where there is no alias', () => {
    const key = (instanceArn: string): string =>
      objectKey({ ...parts, instanceAlias: undefined, instanceArn });
    expect(key(parts.instanceArn)).toMatch(/^connect\/11111111-aaaa\/ScreenRecordings\//);
    expect(key('arn:aws/../..')).toMatch(/^connect\/--\/ScreenRecordings\//);
    expect(key('arn:a b\\c')).toMatch(/^connect\/arn-a-b-c\/ScreenRecordings\//);
    expect(key('')).toMatch(/^connect\/instance\/ScreenRecordings\//);
  });

  it('has no part that a file system refuses, no matter what a page named', async () => {
    const key = (instanceArn: string, instanceAlias?: string): string =>
      objectKey({ ...parts, contactId: 'c'.repeat(128), instanceAlias, instanceArn });
    const [one, other] = ['a', 'b'].map((end) => key(`arn:${'x'.repeat(2000)}${end}`)) as [string, string];
    expect(one).not.toBe(other);
    const root = await temporaryFolder();
    // As long as the sink's hidden names make it.
    const path = join(root, dirname(one), `.${basename(one)}.${'r'.repeat(36)}.part`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '');
    for (const alias of ['con', 'NUL', 'COM1', 'lpt9'])
      expect(key('arn', alias)).toMatch(new RegExp(`^connect/${alias}-/ScreenRecordings/`));
    expect(key('arn', 'console')).toMatch(/^connect\/console\//);
  });

  it('has the alias wherever the prefix asks for it, or nowhere', () => {
    const key = (prefix: string): string => objectKey({ ...parts, prefix });
    expect(key('<alias>/x/<alias>')).toMatch(/^acme\/x\/acme\/2026\//);
    expect(key('calls')).toMatch(/^calls\/2026\//);
  });

  it('neither begins with a slash nor has an empty part, however the prefix begins and ends', () => {
    for (const prefix of ['', '/', '//']) {
      expect(objectKey({ ...parts, prefix })).toBe('2026/01/02/6f2c1d3e-0a4b_20260102T030405Z.mp4');
    }
    expect(objectKey({ ...parts, prefix: '//calls/' })).toMatch(/^calls\/2026\//);
  });
});

describe('the name of a manifest', () => {
  it('is that of the recording, with another ending', () => {
    expect(manifestKey('calls/a.mp4_x.mp4')).toBe('calls/a.mp4_x.json');
  });
});
