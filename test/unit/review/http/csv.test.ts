// The export of notes: RFC 4180, and no cell that a spreadsheet would run.
import { describe, expect, it } from 'vitest';
import type { RecordingRow } from '../../../../review/contract.ts';
import { csvHeader, csvLine, csvOf } from '../../../../review/server/http/notes/csv.ts';
import { attachment } from '../../../../review/server/http/routes/media.ts';

describe('a cell', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-2+3+cmd|" /C calc"!A0', `'-2+3+cmd|"" /C calc""!A0`],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['\r=1', "'\r=1"],
    ['  =1', "'  =1"],
    ['\u200b=1', "'\u200b=1"],
    ['\uff1d1', "'\uff1d1"],
  ])('%j is text', (text, safe) => {
    expect(csvLine([text])).toBe(`"${safe}"\r\n`);
  });
  it.each(['1=1', 'a@b', 'x - y', '', 'Grüße, "quoted"\nnext'])('%j stays', (text) => {
    expect(csvLine([text])).toBe(`"${text.replaceAll('"', '""')}"\r\n`);
  });
});

it('has a header, and a line for each note', () => {
  const row: RecordingRow = {
    ...{
      id: 'id',
      contactId: 'c',
      agent: '=a',
      queue: null,
      channel: 'VOICE',
      startTime: '2026-05-04T08:00:00.000Z',
    },
    ...{ durationMs: 1, sizeBytes: 1, suspensions: 0, problems: [], trial: false },
  };
  const entry = {
    id: 'n',
    atMs: 3_723_000,
    text: 'ok',
    author: 'vera',
    changedAt: '2026-05-05T08:00:00.000Z',
    score: null,
  };
  expect(csvHeader.startsWith('\ufeff"contact","agent"')).toBe(true);
  expect(csvOf(row, [entry, { ...entry, atMs: null, score: { criterion: 'greeting', points: 0 } }])).toBe(
    '"c","\'=a","","VOICE","2026-05-04T08:00:00.000Z","3723000","1:02:03","","","ok","vera","2026-05-05T08:00:00.000Z","id"\r\n' +
      '"c","\'=a","","VOICE","2026-05-04T08:00:00.000Z","","","greeting","0","ok","vera","2026-05-05T08:00:00.000Z","id"\r\n',
  );
});

it('the name of a download has no path, no quote and no line break', () => {
  const name = attachment('..\\evil"\r\nSet-Cookie: a=b; ü\u202egpj.mp4');
  expect(name).not.toMatch(/[\r\n\\]|\u202e/);
  expect(name.match(/"/g)).toHaveLength(2);
  expect(name).toContain("filename*=UTF-8''");
});
