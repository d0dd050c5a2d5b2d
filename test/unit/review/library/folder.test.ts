// A library in a folder: what becomes a row, what a refresh reads, what a hostile file or name costs, and that nothing outside of the
// folder, or of somebody's scope, can be reached.
import { symlink, mkdir, readFile, rename, rm, stat, writeFile, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RecordingRow } from '../../../../review/contract.ts';
import { FolderSource } from '../../../../review/server/library/folderSource.ts';
import type { Library } from '../../../../review/server/library/ports.ts';
import { RecordingIndex } from '../../../../review/server/library/recordingIndex.ts';
import { readRange, type ListedManifest } from '../../../../review/server/library/source.ts';
import { makeLibrary, madeRecording } from '../../../rig/reviewLibrary.ts';
import { EVERYTHING, opened, put, putRecording, temporaryFolder } from './support.ts';

const all = (library: Library): readonly RecordingRow[] => library.list({ trials: true }, EVERYTHING).rows;
const never = new AbortController().signal;

class CountingSource extends FolderSource {
  readonly names: string[] = [];
  override read(file: ListedManifest, signal: AbortSignal): ReturnType<FolderSource['read']> {
    this.names.push(file.key);
    return super.read(file, signal);
  }
}

describe('rows', () => {
  it('say what the manifests say', async () => {
    const folder = await temporaryFolder();
    const { manifest } = await putRecording(folder, 0);
    await putRecording(folder, 1, (one) => ({
      ...one,
      trial: true,
      agent: { arn: `${one.agent.arn}x/bob` },
    }));
    const rows = all(await opened(folder));
    expect(rows[1]).toMatchObject({
      ...{ contactId: manifest.contact.contactId, agent: 'agent0', queue: 'Support', channel: 'VOICE' },
      ...{ startTime: manifest.startTime, durationMs: manifest.durationMs, suspensions: 1, trial: false },
      problems: ['interrupted', 'ended-early'],
    });
    expect(rows[0]).toMatchObject({ agent: 'bob', trial: true });
  });

  it('leave out what has not finished, and JSON that is no manifest', async () => {
    const folder = await temporaryFolder();
    const { key } = await putRecording(folder, 0);
    await put(folder, key.replace(/[^/]*$/, '.x_20260302T060000Z.mp4.id.part'), 'x');
    await put(folder, madeRecording(1).key, 'an MP4 that is being uploaded');
    await put(folder, 'Analysis/Voice/2026/03/02/c1_analysis_2026-03-02T09:15:00Z.json', '{}');
    await put(folder, 'notes.json', '{}');
    await put(folder, '.hidden/x_20260302T060000Z.json', '{}');
    expect(all(await opened(folder))).toHaveLength(1);
  });

  it('without an MP4 have a problem, until it is there', async () => {
    const folder = await temporaryFolder();
    const { key } = await putRecording(folder, 1, undefined, null);
    const library = await opened(folder);
    expect(all(library)[0]?.problems).toEqual(['no-video']);
    await expect(library.find(all(library)[0]!.id, EVERYTHING)!.video()).rejects.toMatchObject({
      code: 'NO_VIDEO',
    });
    await put(folder, key, 'an MP4');
    await library.refresh();
    expect(all(library)[0]?.problems).toEqual([]);
  });
});

describe('a refresh', () => {
  it('reads only manifests that are new or changed', async () => {
    const folder = await temporaryFolder();
    await makeLibrary(folder, { to: 20 });
    const source = new CountingSource(folder);
    const index = new RecordingIndex(source, null, { readers: 4, now: Date.now, onProblem: () => undefined });
    await index.refresh();
    expect(source.names.splice(0)).toHaveLength(20);
    await index.refresh();
    expect(source.names).toEqual([]);
    await putRecording(folder, 30);
    const { key } = await putRecording(folder, 3, (one) => ({
      ...one,
      agent: { ...one.agent, username: 'changed' },
    }));
    await rm(join(folder, madeRecording(4).key.replace(/mp4$/, 'json')));
    await index.refresh();
    const changed = [key, madeRecording(30).key].map((name) => name.replace(/mp4$/, 'json'));
    expect(source.names.sort()).toEqual(changed.sort());
    expect(index.state).toMatchObject({ state: 'ready', indexed: 20, total: 20 });
    const agents = index.ascending('agent').map(({ row }) => row.agent);
    expect(agents.filter((name) => name === 'changed')).toHaveLength(1);
  });

  it('is quick with the index on the disk, and survives a damaged one', async () => {
    const [folder, cacheFolder] = [await temporaryFolder(), join(await temporaryFolder(), 'cache')];
    await makeLibrary(folder, { to: 50 });
    const first = await opened(folder, { cacheFolder });
    const rows = all(first);
    await first.close();
    const [name = ''] = await readdir(cacheFolder);
    const path = join(cacheFolder, name);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const lines = (await readFile(path, 'utf8')).split('\n');
    expect(lines).toHaveLength(52);
    lines[7] = lines[7]!.slice(0, 40);
    lines[8] = '['.repeat(9000);
    lines[9] = '[]';
    await writeFile(path, lines.join('\n'));
    const second = await opened(folder, { cacheFolder });
    expect(all(second)).toEqual(rows);
    await second.close();
    await writeFile(path, 'not a cache');
    expect(all(await opened(folder, { cacheFolder }))).toEqual(rows);
  });

  it('of a folder that is gone keeps the rows and says what to do', async () => {
    const folder = await temporaryFolder();
    const place = join(folder, 'library');
    await putRecording(place, 0);
    const library = await opened(place);
    await rename(place, join(folder, 'away'));
    await library.refresh();
    expect(library.state).toMatchObject({
      state: 'failed',
      indexed: 1,
      problem: { code: 'LIBRARY_UNAVAILABLE' },
    });
    await rename(join(folder, 'away'), place);
    await library.refresh();
    expect(library.state.state).toBe('ready');
  });
});

describe('a hostile manifest', () => {
  const cases: Readonly<Record<string, (text: string) => string>> = {
    empty: () => '',
    'not JSON': () => '\u0000\u0001{{{',
    'a list': () => '[]',
    'of another version': (text) => text.replace('"manifestVersion":1', '"manifestVersion":2'),
    'too large': (text) => text + ' '.repeat(5 * 1024 * 1024),
    'deeply nested': (text) =>
      text.replace('"queue":"Support"', `"queue":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`),
    'a million wrong gaps': (text) =>
      text.replace(/"gaps":\[.*\],"suspensions"/, `"gaps":[${'{},'.repeat(1_000_000)}{}],"suspensions"`),
    'a million monitors': (text) => text.replace('"leftOut":[]', `"leftOut":[${'{},'.repeat(1_000_000)}{}]`),
    'a number in place of a text': (text) => text.replace('"username":"agent0"', '"username":1e999'),
  };

  it.each(Object.entries(cases))('%s costs its own row', async (name, change) => {
    const folder = await temporaryFolder();
    const { key, manifest } = await putRecording(folder, 0);
    await putRecording(folder, 1);
    const text = JSON.stringify(manifest);
    const hostile = change(text);
    if (hostile === text) throw new Error(`${name}: nothing was changed`);
    await put(folder, key.replace(/mp4$/, 'json'), hostile);
    const began = performance.now();
    const library = await opened(folder);
    const [other, row] = all(library);
    expect(other?.problems).toEqual([]);
    expect(row).toMatchObject({
      ...{
        contactId: manifest.contact.contactId,
        channel: null,
        agent: '',
        startTime: '2026-03-02T06:00:00.000Z',
      },
      problems: ['unreadable-manifest'],
    });
    const recording = library.find(row!.id, EVERYTHING)!;
    await expect(recording.detail()).rejects.toMatchObject({ code: 'UNREADABLE_RECORDING' });
    expect((await recording.video()).sizeBytes).toBe(6);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('cannot forge what is read: names lose what turns or hides text', async () => {
    const folder = await temporaryFolder();
    await putRecording(folder, 0, (one) => ({
      ...one,
      contact: { ...one.contact, queue: 'Sup\u202eport\u0007', attributes: { ['__proto__']: 'a\u0000b' } },
      agent: { ...one.agent, username: `${'x'.repeat(300)}\nroot` },
    }));
    const library = await opened(folder);
    const [row] = all(library);
    expect(row).toMatchObject({ queue: 'Sup\ufffdport\ufffd', agent: 'x'.repeat(256) });
    const { manifest } = await library.find(row!.id, EVERYTHING)!.detail();
    expect(JSON.stringify(manifest)).not.toMatch(/[\u202e\u0007]|\\u0000/u);
  });

  it('named with control or direction marks has a row that shows none of them', async () => {
    const folder = await temporaryFolder();
    const { manifest } = madeRecording(0);
    await put(folder, 'a\u202egpj\n_20260302T060000Z.json', JSON.stringify(manifest));
    const [row] = all(await opened(folder));
    expect(row).toMatchObject({
      contactId: 'a\ufffdgpj\ufffd',
      problems: ['unreadable-manifest', 'no-video'],
    });
  });
});

describe('nothing outside of the folder', () => {
  it('is reached by a link in it', async () => {
    const outside = await temporaryFolder();
    const folder = await temporaryFolder();
    const { key } = await putRecording(outside, 0);
    await symlink(join(outside, 'connect'), join(folder, 'connect'));
    await mkdir(join(folder, 'flat'));
    for (const ending of ['json', 'mp4'])
      await symlink(
        join(outside, key.replace(/mp4$/, ending)),
        join(folder, `flat/x_20260302T060000Z.${ending}`),
      );
    await symlink(folder, join(folder, 'loop'));
    expect(all(await opened(folder))).toEqual([]);
  });

  it('is reached by a file or folder that becomes a link after it was listed', async () => {
    const outside = await temporaryFolder();
    const folder = await temporaryFolder();
    const { key } = await putRecording(folder, 0);
    const library = await opened(folder);
    const recording = library.find(all(library)[0]!.id, EVERYTHING)!;
    await put(outside, 'secret', 'the secret');
    await rm(join(folder, key));
    await symlink(join(outside, 'secret'), join(folder, key));
    await expect(recording.video()).rejects.toMatchObject({ code: 'NO_VIDEO' });
    const before = await putRecording(folder, 0);
    await rename(join(folder, 'connect'), join(outside, 'connect'));
    await symlink(join(outside, 'connect'), join(folder, 'connect'));
    expect(await readFile(join(folder, before.key), 'utf8')).toBe('an MP4');
    await expect(recording.video()).rejects.toMatchObject({ code: 'NO_VIDEO' });
    await expect(recording.detail()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('and nothing outside of a scope is listed, found, counted or named', async () => {
    const folder = await temporaryFolder();
    const { manifest } = await putRecording(folder, 0);
    for (const team of ['one', 'two'])
      await put(
        folder,
        `${team}/c_20260302T060000Z.json`,
        JSON.stringify({ ...manifest, agent: { arn: 'a', username: team } }),
      );
    const library = await opened(folder);
    const scope = ['one/'];
    const page = library.list({}, scope);
    expect(page.rows.map(({ agent }) => agent)).toEqual(['one']);
    expect(page.total).toBe(1);
    expect(library.facets(scope)).toEqual({ agents: ['one'], queues: ['Support'] });
    expect([...library.rows({}, scope)]).toHaveLength(1);
    const other = all(library).find(({ agent }) => agent === 'two')!;
    expect(library.find(other.id, scope)).toBeNull();
    expect(library.find(other.id, ['two/c'])).not.toBeNull();
    expect(library.find(other.id, [])).toBeNull();
    expect(library.find('../../etc/passwd', EVERYTHING)).toBeNull();
  });
});

describe('a file of the library', () => {
  it('is read in ranges, and two versions are never mixed', async () => {
    const folder = await temporaryFolder();
    const content = Buffer.alloc(700_000, 'abcdefghij');
    const { key } = await putRecording(folder, 0, undefined, content);
    const library = await opened(folder);
    const video = await library.find(all(library)[0]!.id, EVERYTHING)!.video();
    const read = await readRange(video, 5, 600_004, never);
    expect(read.equals(content.subarray(5, 600_005))).toBe(true);
    const begun = (await video.read(0, 699_999, never)).getReader();
    await begun.read();
    await begun.cancel();
    await writeFile(join(folder, `${key}.new`), 'other');
    await rename(join(folder, `${key}.new`), join(folder, key));
    await utimes(join(folder, key), 1, 1);
    await expect(readRange(video, 0, 4, never)).rejects.toMatchObject({ code: 'LIBRARY_UNAVAILABLE' });
  });

  it('is verified against its manifest', async () => {
    const folder = await temporaryFolder();
    const sha256 = '0'.repeat(64);
    await putRecording(folder, 0, (one) => ({ ...one, video: { ...one.video, sha256 } }));
    const library = await opened(folder);
    const { verdict } = await library.find(all(library)[0]!.id, EVERYTHING)!.verify(never);
    expect(verdict).toBe('changed');
  });
});
