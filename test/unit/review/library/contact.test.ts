// What Amazon Connect has of a call: found by name in the folders of its days, and read within limits. Names and shapes as AWS
// documents them (contactNames.ts, transcript.ts and contactRecord.ts name the pages).
import { describe, expect, it } from 'vitest';
import { contactFile, contactFolders, isContactId } from '../../../../review/server/library/contactNames.ts';
import { readContactRecord } from '../../../../review/server/library/contactRecord.ts';
import { readTranscript } from '../../../../review/server/library/transcript.ts';
import { durationIn } from '../../../../review/server/library/wav.ts';
import { EVERYTHING, opened, put, putRecording, temporaryFolder } from './support.ts';

const ID = '9b7c1a52-0000-4000-8000-000000000001';

/** 8,000 samples a second of 16 bits, stereo, as Connect's. */
function wav(seconds: number, saidBytes = seconds * 32_000): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0).toString();
  header.writeUInt32LE(36 + seconds * 32_000, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(2, 22);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(32_000, 28);
  header.write('data', 36);
  header.writeUInt32LE(saidBytes, 40);
  return Buffer.concat([header, Buffer.alloc(seconds * 32_000)]);
}

const analysis = (output: string, text: string): string =>
  JSON.stringify({
    ...{ Version: '1.1.0', Channel: 'VOICE', LanguageCode: 'en-US', ContentMetadata: { Output: output } },
    Participants: [
      { ParticipantId: 'p1', ParticipantRole: 'CUSTOMER' },
      { ParticipantId: 'p2', ParticipantRole: 'AGENT' },
    ],
    Transcript: [
      {
        BeginOffsetMillis: 2000,
        EndOffsetMillis: 3000,
        Content: text,
        Id: 't2',
        ParticipantId: 'p1',
        Sentiment: 'NEGATIVE',
        LoudnessScore: [70],
      },
      {
        BeginOffsetMillis: 0,
        EndOffsetMillis: 1500,
        Content: 'Hello',
        Id: 't1',
        ParticipantId: 'p2',
        Sentiment: 'NEUTRAL',
      },
      { BeginOffsetMillis: 'x', Content: 5 },
    ],
  });

describe('names', () => {
  const minute = Date.parse('2026-03-02T06:01:00Z');
  const second = Date.parse('2026-03-02T06:01:07Z');
  it.each([
    [`${ID}_20260302T06:01_UTC.wav`, 'audio', minute],
    [`${ID}_20260302T06_01_UTC.wav`, 'audio', minute],
    [`${ID}_20260302T06%3A01_UTC.wav`, 'audio', minute],
    [`${ID}_20260302T06\uf03a01_UTC.wav`, 'audio', minute],
    [`${ID}_20260302T0601_UTC.WAV`, 'audio', minute],
    [`${ID}_analysis_2026-03-02T06:01:07Z.json`, 'transcript', second],
    [`${ID}_analysis_redacted_2026-03-02T06-01-07Z.json`, 'redacted-transcript', second],
    [`${ID}_call_recording_redacted_2026-03-02T06:01:07Z.wav`, 'redacted-audio', second],
    [`${ID}_analysis_redacted_2026-03-02T06_01_07Z.wav`, 'redacted-audio', second],
    [`${ID}.json`, 'record', null],
  ])('%s is known', (name, kind, timeMs) => {
    expect(contactFile(name, ID)).toEqual({ kind, timeMs });
  });

  it.each([
    `${ID}1_20260302T06:01_UTC.wav`,
    `${ID}_20261302T06:01_UTC.wav`,
    `${ID}_x.wav`,
    `x${ID}.json`,
    `${ID}_analysis_.json`,
  ])('%s is of no call of this contact', (name) => {
    expect(contactFile(name, ID)).toBeNull();
  });

  it('are looked for in the days around the recording only', () => {
    const folders = contactFolders(Date.parse('2026-03-01T01:00:00Z'), 60_000);
    expect(folders).toEqual(
      expect.arrayContaining(['', 'CallRecordings/2026/02/28', 'Analysis/Voice/Redacted/2026/03/01']),
    );
    expect(folders).toHaveLength(11);
    expect(contactFolders(0, 1e15).length).toBeLessThan(22);
  });

  it.each(['../../etc', 'a/b', '..', 'a..b', '', '.x', 'a\\b', 'x'.repeat(200)])(
    'the contact id %j is never part of a name',
    (id) => {
      expect(isContactId(id)).toBe(false);
    },
  );
});

describe('a call', () => {
  it('has redacted audio first, its time to the minute, and the redacted transcript', async () => {
    const [folder, audio] = [await temporaryFolder(), await temporaryFolder()];
    const { manifest } = await putRecording(folder, 0);
    const id = manifest.contact.contactId;
    await put(audio, `CallRecordings/2026/03/02/${id}_20260302T06_00_UTC.wav`, wav(3));
    await put(
      audio,
      `Analysis/Voice/Redacted/2026/03/02/${id}_call_recording_redacted_2026-03-02T06_00_02Z.wav`,
      wav(2),
    );
    await put(
      audio,
      `Analysis/Voice/2026/03/02/${id}_analysis_2026-03-02T06_00_02Z.json`,
      analysis('Raw', 'my card is 4111'),
    );
    await put(
      audio,
      `Analysis/Voice/Redacted/2026/03/02/${id}_analysis_redacted_2026-03-02T06_00_02Z.json`,
      analysis('Redacted', 'my card is [PII]'),
    );
    const library = await opened(folder, { audio: [audio] });
    const recording = library.find(library.list({}, EVERYTHING).rows[0]!.id, EVERYTHING)!;
    const { audio: tracks, hasTranscript, contactEvents } = await recording.detail();
    expect(tracks).toEqual([
      { kind: 'redacted', startTime: '2026-03-02T06:00:02.000Z', precision: 'minute', durationMs: 2000 },
      { kind: 'original', startTime: '2026-03-02T06:00:00.000Z', precision: 'minute', durationMs: 3000 },
    ]);
    expect({ hasTranscript, contactEvents }).toEqual({ hasTranscript: true, contactEvents: [] });
    expect((await recording.audio('original')).sizeBytes).toBe(96_044);
    const { kind, language, lines } = await recording.transcript();
    expect({ kind, language }).toEqual({ kind: 'redacted', language: 'en-US' });
    expect(lines).toEqual([
      { beginMs: 0, endMs: 1500, participant: 'AGENT', text: 'Hello', sentiment: 'NEUTRAL' },
      {
        beginMs: 2000,
        endMs: 3000,
        participant: 'CUSTOMER',
        text: 'my card is [PII]',
        sentiment: 'NEGATIVE',
      },
    ]);
  });

  it('has its exact time and its events from the contact record', async () => {
    const [folder, audio] = [await temporaryFolder(), await temporaryFolder()];
    const { manifest } = await putRecording(folder, 0);
    const id = manifest.contact.contactId;
    await put(audio, `${id}_20260302T06:00_UTC.wav`, wav(3));
    const record = {
      ContactId: id,
      Agent: {
        ConnectedToAgentTimestamp: '2026-03-02T06:00:01.500Z',
        AfterContactWorkStartTimestamp: '2026-03-02T06:05:00Z',
        AfterContactWorkEndTimestamp: '2026-03-02T06:06:00Z',
      },
      DisconnectTimestamp: '2026-03-02T06:05:00Z',
      Recordings: [
        { MediaStreamType: 'AUDIO', ParticipantType: 'IVR', StartTimestamp: '2026-03-02T05:59:00Z' },
        { MediaStreamType: 'AUDIO', StartTimestamp: '2026-03-02T06:00:01.750Z', Location: `b/${id}.wav` },
      ],
    };
    await put(audio, `${id}.json`, JSON.stringify(record));
    const library = await opened(folder, { audio: [audio] });
    const recording = library.find(library.list({}, EVERYTHING).rows[0]!.id, EVERYTHING)!;
    const { audio: tracks, contactEvents } = await recording.detail();
    expect(tracks).toEqual([
      { kind: 'original', startTime: '2026-03-02T06:00:01.750Z', precision: 'exact', durationMs: 3000 },
    ]);
    expect(contactEvents.map(({ kind }) => kind)).toEqual([
      'connected',
      'disconnected',
      'after-contact-work',
    ]);
    await expect(recording.audio('redacted')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(recording.transcript()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a file from outside', () => {
  it('that only claims to be redacted by its name is an original', () => {
    expect(readTranscript(analysis('Raw', 'x'), true)?.kind).toBe('original');
    expect(readTranscript(analysis('Redacted', 'x'), false)?.kind).toBe('original');
  });

  it('with a million lines or texts that turn their direction stays within limits', () => {
    const lines = Array.from({ length: 100_000 }, () => ({
      BeginOffsetMillis: 1,
      EndOffsetMillis: 0,
      Content: '\u202ex'.repeat(6000),
      ParticipantId: 'p',
    }));
    const found = readTranscript(JSON.stringify({ Transcript: lines.slice(0, 30), Participants: {} }), true);
    expect(found?.lines[0]?.text).toBe('\ufffdx'.repeat(5000));
    const many = lines.map((line) => ({ ...line, Content: 'x' }));
    expect(readTranscript(JSON.stringify({ Transcript: many }), true)?.lines).toHaveLength(20_000);
    expect(readTranscript('[]', true)).toBeNull();
  });

  it('is no contact record of another contact, nor one with an endless list', () => {
    const record = { Contact: { Id: ID, AgentInfo: { ConnectedToAgentTimestamp: 1_772_431_201.5 } } };
    expect(readContactRecord(JSON.stringify(record), ID)?.events).toEqual([
      { kind: 'connected', startTime: '2026-03-02T06:00:01.500Z', endTime: null },
    ]);
    expect(readContactRecord(JSON.stringify(record), 'another')).toBeNull();
    expect(
      readContactRecord(JSON.stringify({ ContactId: ID, Recordings: Array(100_000).fill(5) }), ID),
    ).toBeNull();
    expect(
      readContactRecord(JSON.stringify({ ContactId: ID, Agent: { ConnectedToAgentTimestamp: 'now' } }), ID)
        ?.events,
    ).toEqual([]);
  });

  it('is no longer than it is, whatever its header says', () => {
    expect(durationIn(wav(2), wav(2).length)).toBe(2000);
    expect(durationIn(wav(2, 0xffffffff), wav(2).length)).toBe(2000);
    expect(durationIn(wav(2, 0), wav(2).length)).toBe(2000);
    expect(
      durationIn(Buffer.from('RIFF\0\0\0\0WAVEdata\xff\xff\xff\x7f'.padEnd(60, 'x'), 'latin1'), 60),
    ).toBeNull();
    expect(durationIn(Buffer.alloc(60), 60)).toBeNull();
  });
});
