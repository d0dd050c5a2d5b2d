import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineReader, diagnose, parseBlack, parseStartTime } from '../../../main/capture/ffmpegOutput.ts';
import * as said from './ffmpegLines.ts';

const linesOf = (text: string): string[] => new LineReader().push(text);

describe('the time of the first frame', () => {
  it.each([
    ['ffmpeg 8', said.stopped8, 1_795_224_117_870.721],
    ['ffmpeg 5', said.killed5, 1_795_224_093_598.226],
  ])('is read from what %s prints about its input, and from no other line', (_, text, expected) => {
    const found = linesOf(text).map(parseStartTime);
    const times = found.filter((time) => time !== null);
    expect(times).toHaveLength(1);
    expect(times[0]).toBeCloseTo(expected, 2);
  });

  it('is that of the design', () => {
    const line = '  Duration: N/A, start: 1795218440.657733, bitrate: N/A';
    expect(parseStartTime(line)).toBeCloseTo(1_795_218_440_657.733, 2);
  });

  it.each([
    [''],
    ['Duration: N/A, bitrate: N/A'],
    ['  Duration: N/A, start: N/A, bitrate: N/A'],
    ['[x11grab @ 0x1] Duration: N/A, start: 1795218440.657733, bitrate: N/A'],
    ['a window is called   Duration: N/A, start: 1.000000, bitrate'],
  ])('is not read from %j', (line) => {
    expect(parseStartTime(line)).toBeNull();
  });
});

describe('a stretch of black frames', () => {
  it('is read from what our ffmpegs print', () => {
    const { windows, linux } = said.black9;
    expect(parseBlack(windows)).toEqual({ isBlack: true, wallMs: 1_796_003_338.192255 * 1000 });
    expect(parseBlack(linux)).toEqual({ isBlack: true, wallMs: 1_796_003_350.631931 * 1000 });
    expect(parseBlack(linux.replace('since', 'until'))).toMatchObject({ isBlack: false });
  });

  it('is not read from any other line', () => {
    const { linux } = said.black9;
    for (const line of ['', `Input #0: ${linux}`, `${linux} or so`, linux.replace('x11grab', 'mov')])
      expect(parseBlack(line)).toBeNull();
    for (const text of [said.stopped8, said.killed5, said.secureDesktop9])
      expect(linesOf(text).map(parseBlack).filter(Boolean)).toEqual([]);
  });
});

describe('the diagnosis of an ffmpeg that ended by itself', () => {
  it.each([
    ['a display that is not there (ffmpeg 8)', said.noDisplay8, 'NO_DISPLAY', true],
    ['a display that is not there (ffmpeg 5)', said.noDisplay5, 'NO_DISPLAY', true],
    ['a display that died (ffmpeg 8)', said.displayDied8, 'NO_DISPLAY', true],
    ['a display that died (ffmpeg 5)', said.displayDied5, 'NO_DISPLAY', true],
    ['the secure desktop of Windows (ffmpeg 9)', said.secureDesktop9, 'NO_DISPLAY', false],
    ['the same at the start', said.secureDesktopAtStart9, 'NO_DISPLAY', false],
    ['an encoder that it lacks', said.noEncoder5, 'ENCODER_UNAVAILABLE', true],
    ['a grabber that it lacks', said.noGrabber5, 'ENCODER_UNAVAILABLE', true],
    ['a full disk', said.diskFull8, 'SPOOL_FULL', false],
  ])('names %s', (_, text, code, permanent) => {
    const diagnosis = diagnose('exit code 1', linesOf(text));
    expect(diagnosis).toMatchObject({ code, permanent });
    expect(diagnosis.message).not.toBe('');
  });

  it('keeps ffmpeg’s last words for what it does not know, and lets it be tried again', () => {
    expect(diagnose('exit code 1', linesOf(said.areaOutside5))).toEqual({
      code: 'CAPTURE_FAILED',
      message:
        'ffmpeg exited unexpectedly (exit code 1): :177: Invalid argument. Capture restarts automatically.',
      permanent: false,
    });
  });

  it('says so when ffmpeg said nothing', () => {
    for (const lines of [[], ['', '  ']]) {
      expect(diagnose('SIGSEGV', lines)).toMatchObject({
        code: 'CAPTURE_FAILED',
        message: 'ffmpeg exited unexpectedly (SIGSEGV): no message. Capture restarts automatically.',
      });
    }
  });

  it('finds no known trouble in what a healthy run prints', () => {
    for (const text of [said.stopped8, said.killed5]) {
      expect(diagnose('SIGKILL', linesOf(text)).code).toBe('CAPTURE_FAILED');
    }
  });
});

describe('the reader of lines', () => {
  it('gives whole lines, and keeps a half one until it is whole', () => {
    const reader = new LineReader();
    expect(reader.push('one\ntw')).toEqual(['one']);
    expect(reader.push('o')).toEqual([]);
    expect(reader.push('\r\nthree\r')).toEqual(['two', 'three']);
    expect(reader.push('four\n')).toEqual(['four']);
  });

  it('gives the same words however they come in', () => {
    const text = said.stopped8.replaceAll('\n', '\r\n') + said.diskFull8.replaceAll('\n', '\r');
    const words = (lines: string[]): string[] => lines.filter((line) => line !== '');
    const expected = words(linesOf(text));
    expect(expected.length).toBeGreaterThan(20);
    fc.assert(
      fc.property(fc.array(fc.nat({ max: text.length }), { maxLength: 30 }), (cuts) => {
        const reader = new LineReader();
        const edges = [0, ...cuts.sort((a, b) => a - b), text.length];
        const lines = edges.flatMap((edge, index) => reader.push(text.slice(edge, edges[index + 1])));
        expect(words(lines)).toEqual(expected);
      }),
    );
  });
});
