// An MP4's own tables: what they say of the frames of a good file, and that a hostile file costs neither time nor memory.
import { describe, expect, it } from 'vitest';
import { Mp4Tables } from '../../../../review/server/library/mp4Tables.ts';
import type { ReviewFile } from '../../../../review/server/library/ports.ts';
import { madeMp4 } from './support.ts';

function fileOf(bytes: Buffer, etag = '"1"'): ReviewFile & { reads: [number, number][] } {
  const reads: [number, number][] = [];
  return {
    ...{ sizeBytes: bytes.byteLength, etag, reads },
    read: (start, end) => {
      reads.push([start, end]);
      return Promise.resolve(
        new ReadableStream<Uint8Array>({
          start(controller) {
            controller.enqueue(Uint8Array.from(bytes.subarray(start, end + 1)));
            controller.close();
          },
        }),
      );
    },
  };
}

/** The same file with its box of a type changed. */
function tampered(bytes: Buffer, type: string, change: (box: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  const at = copy.indexOf(type, 0, 'latin1') - 4;
  if (at < 0) throw new Error(`no box ${type}`);
  change(copy.subarray(at));
  return copy;
}

const unreadable = { code: 'UNREADABLE_RECORDING' };

describe('the tables of an MP4', () => {
  it('say when each frame is shown, how large it is, and which are key frames', async () => {
    const mp4 = await madeMp4(25);
    const file = fileOf(mp4);
    const { timesMs, bytes, keyFrames } = await new Mp4Tables().activity('a', file);
    expect(timesMs).toEqual(Array.from({ length: 25 }, (_, index) => index * 200));
    expect(bytes).toEqual(Array.from({ length: 25 }, (_, index) => 100 + index));
    expect(keyFrames).toEqual([0, 10, 20]);
    const frames = mp4.indexOf(Buffer.alloc(90, 1));
    expect(frames).toBeGreaterThan(0);
    // No frame was read.
    expect(file.reads.filter(([, end]) => end >= frames)).toEqual([]);
  });

  it('give the key frame that begins at or before a moment, ready for a decoder', async () => {
    const tables = new Mp4Tables();
    const file = fileOf(await madeMp4(25));
    const at = async (ms: number): Promise<number> => (await tables.keyFrame('a', file, ms)).timeMs;
    expect([await at(0), await at(1999), await at(2000), await at(1e9)]).toEqual([0, 0, 2000, 4000]);
    const { codec, data, width, height } = await tables.keyFrame('a', file, 2500);
    expect({ codec, width, height }).toEqual({ codec: 'avc1.42c00a', width: 16, height: 16 });
    expect(Buffer.from(data, 'base64')).toHaveLength(110);
  });

  it('are read once while the file stays the same', async () => {
    const tables = new Mp4Tables();
    const file = fileOf(await madeMp4(25));
    await tables.activity('a', file);
    const before = file.reads.length;
    await tables.activity('a', file);
    expect(file.reads).toHaveLength(before);
    const replaced = fileOf(await madeMp4(5), '"2"');
    expect((await tables.activity('a', replaced)).timesMs).toHaveLength(5);
  });

  it('of eight hours in one chunk are read at once', async () => {
    const frames = 144_000;
    const mp4 = withManyFrames(await madeMp4(25), frames);
    const began = performance.now();
    const tables = new Mp4Tables();
    const { timesMs } = await tables.activity('a', fileOf(mp4));
    expect((await tables.keyFrame('a', fileOf(mp4), 1e9)).timeMs).toBe(0);
    expect(timesMs).toHaveLength(frames);
    expect(timesMs.at(-1)).toBe((frames - 1) * 200);
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

describe('a hostile MP4', () => {
  const cases: Readonly<Record<string, (mp4: Buffer) => Buffer>> = {
    'nothing at all': () => Buffer.alloc(0),
    'not an MP4': () => Buffer.from('<html>'.repeat(100)),
    'cut in its moov': (mp4) => mp4.subarray(0, mp4.indexOf('stbl', 0, 'latin1')),
    'a moov that claims more than the file': (mp4) =>
      tampered(mp4, 'moov', (box) => box.writeUInt32BE(0x7fffffff)),
    'a moov of four billion bytes': (mp4) => tampered(mp4, 'moov', (box) => box.writeUInt32BE(0xffffffff)),
    'four billion times': (mp4) => tampered(mp4, 'stts', (box) => box.writeUInt32BE(0xffffffff, 16)),
    'four billion entries of times': (mp4) =>
      tampered(mp4, 'stts', (box) => box.writeUInt32BE(0xffffffff, 12)),
    'four billion frames of one size': (mp4) =>
      tampered(mp4, 'stsz', (box) => {
        box.writeUInt32BE(1, 12);
        box.writeUInt32BE(0xffffffff, 16);
      }),
    'four billion frames in a chunk': (mp4) =>
      tampered(mp4, 'stsc', (box) => box.writeUInt32BE(0xffffffff, 20)),
    'four billion chunks': (mp4) =>
      tampered(mp4, 'moov', (box) => {
        const at =
          ['stco', 'co64'].map((type) => box.indexOf(type, 0, 'latin1')).find((found) => found > 0) ?? 0;
        box.writeUInt32BE(0xffffffff, at + 8);
      }),
    'a box of no size in the moov': (mp4) => tampered(mp4, 'trak', (box) => box.writeUInt32BE(0)),
    'a box that is longer than its parent': (mp4) =>
      tampered(mp4, 'mdia', (box) => box.writeUInt32BE(0x00ffffff)),
    'two tables that disagree': (mp4) => tampered(mp4, 'stts', (box) => box.writeUInt32BE(3, 16)),
    fragments: (mp4) => tampered(mp4, 'dinf', (box) => box.write('mvex', 4, 'latin1')),
  };

  it.each(Object.entries(cases))('%s is refused at once', async (name, change) => {
    const mp4 = await madeMp4(25);
    const bytes = change(mp4);
    if (bytes.equals(mp4)) throw new Error(`${name}: nothing was changed`);
    const before = process.memoryUsage().rss;
    const began = performance.now();
    await expect(new Mp4Tables().activity('a', fileOf(bytes))).rejects.toMatchObject(unreadable);
    expect(performance.now() - began).toBeLessThan(2000);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });

  it('with a key frame that claims gigabytes is refused', async () => {
    const mp4 = tampered(await madeMp4(25), 'stsz', (box) => box.writeUInt32BE(0x7fffffff, 20));
    await expect(new Mp4Tables().keyFrame('a', fileOf(mp4), 0)).rejects.toMatchObject(unreadable);
  });

  it('that never answers is given up', async () => {
    const silent: ReviewFile = { sizeBytes: 1000, etag: '"1"', read: () => new Promise(() => undefined) };
    await expect(new Mp4Tables(50).activity('a', silent)).rejects.toMatchObject(unreadable);
  });
});

/** The frames' tables of another number of frames, all in one chunk: what comes behind them in the file is never read. */
function withManyFrames(mp4: Buffer, frames: number): Buffer {
  const u32 = (...values: number[]): Buffer => {
    const bytes = Buffer.alloc(values.length * 4);
    values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
    return bytes;
  };
  const box = (type: string, ...content: Buffer[]): Buffer => {
    const inside = Buffer.concat(content);
    return Buffer.concat([u32(inside.byteLength + 8), Buffer.from(type, 'latin1'), inside]);
  };
  const sizes = Buffer.concat(Array.from({ length: frames }, () => u32(100)));
  const changed: Record<string, (old: Buffer) => Buffer> = {
    stts: (old) => box('stts', u32(0, 1, frames, old.readUInt32BE(20))),
    stsz: () => box('stsz', u32(0, 0, frames), sizes),
    stsc: () => box('stsc', u32(0, 1, 1, frames, 1)),
    stss: () => box('stss', u32(0, 1, 1)),
    stco: () => box('stco', u32(0, 1, 1000)),
    co64: () => box('stco', u32(0, 1, 1000)),
  };
  const rebuilt = (at: Buffer): Buffer => {
    const type = at.toString('latin1', 4, 8);
    const whole = at.subarray(0, at.readUInt32BE(0));
    if (changed[type] !== undefined) return changed[type](whole);
    if (!['moov', 'trak', 'mdia', 'minf', 'stbl'].includes(type)) return whole;
    const children: Buffer[] = [];
    for (let next = 8; next < whole.byteLength; next += whole.readUInt32BE(next))
      children.push(rebuilt(whole.subarray(next)));
    return box(type, ...children);
  };
  const moovAt = mp4.readUInt32BE(0);
  const moov = rebuilt(mp4.subarray(moovAt));
  return Buffer.concat([mp4.subarray(0, moovAt), moov, box('mdat', Buffer.alloc(frames * 100))]);
}
