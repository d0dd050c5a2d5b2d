// A real recording to review, about 15 s long, of a desk with block codes: still and moving parts, a suspension with a reason, and a
// monitor that is unplugged. With it, a call's audio whose tones sound at known times, and a transcript of it.
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Manifest } from '../../main/shared/manifest.ts';
import { startDesk } from './desk.ts';
import type { SceneName } from './painter.ts';
import { startRecorder } from './recorder.ts';

export interface ReviewRecording {
  /** Where the library begins. */
  readonly folder: string;
  /** Where Amazon Connect's files are. */
  readonly audioFolder: string;
  readonly contactId: string;
  readonly mp4: string;
  readonly manifest: Manifest;
  /** When nothing moved on the desk, on the wall clock. */
  readonly still: { readonly fromMs: number; readonly toMs: number };
  /** The audio's first sample. */
  readonly audioStartMs: number;
}

const MONITOR = { width: 800, height: 450 };
/** The tones: one at each whole second of UTC, `TONE_MS` long, of a pitch that names the second modulo `PITCHES`. */
export const TONE_MS = 240;
export const PITCHES = 8;
export const toneHz = (second: number): number => 500 + 250 * (second % PITCHES);
const SAMPLE_RATE = 8000;

/** Takes about 18 s. `home` is kept; the library is the folder `sink` in it, the call's files are in `contacts`. */
export async function recordForReview(
  home: string,
  { scene = 'timecode', size = MONITOR }: { scene?: SceneName; size?: typeof MONITOR } = {},
): Promise<ReviewRecording> {
  const both = [
    { x: 0, y: 0, ...size },
    { x: size.width, y: 0, ...size },
  ] as const;
  const desk = await startDesk({ monitors: both, scene });
  try {
    const recorder = await startRecorder({ display: desk.display, home });
    try {
      const contactId = randomUUID();
      const page = await recorder.connect();
      await page.ask('contact.start', { contactId, channel: 'VOICE', queue: 'Support' });
      const audioStartMs = Date.now() + 400;
      await sleep(3500);
      await Promise.all(desk.painters.map((painter) => painter.pause()));
      const stillFromMs = Date.now();
      await sleep(4000);
      const stillToMs = Date.now();
      await Promise.all(desk.painters.map((painter) => painter.resume()));
      await sleep(2000);
      await page.ask('contact.suspend', { contactId, reason: 'card number' });
      await sleep(1500);
      await page.ask('contact.resume', { contactId });
      await sleep(2000);
      await desk.arrange([both[0], null]);
      await sleep(2000);
      await page.ask('contact.stop', { contactId });
      await page.event(contactId, 'PUBLISHED');
      const [found] = await recorder.published();
      if (found === undefined) throw new Error('nothing was published');
      const audioFolder = join(home, 'contacts');
      await writeContactFiles(audioFolder, contactId, audioStartMs, Date.now() - audioStartMs);
      return {
        ...{ folder: recorder.sinkFolder, contactId, mp4: found.mp4, manifest: found.manifest, audioFolder },
        still: { fromMs: stillFromMs, toMs: stillToMs },
        audioStartMs,
      };
    } finally {
      await recorder.stop();
    }
  } finally {
    await desk.stop();
  }
}

const SENTENCES = [
  'Thank you for calling, my name is Alice. How can I help you?',
  'My second parcel has not arrived.',
  'I see. It is at the depot since Tuesday, the label was torn.',
  'Can you send it again, please?',
  'Of course. A new label is printed, it arrives tomorrow.',
  'And I would like to pay the open invoice by card.',
  'I suspend the recording for your card number.',
  'Thank you. The receipt comes by e-mail.',
];

/**
 * As Amazon Connect names and writes them: audio and transcript, redacted, and the contact record, which has the audio's exact start.
 * The transcript has a line every two seconds.
 */
export async function writeContactFiles(
  folder: string,
  contactId: string,
  startMs: number,
  durationMs: number,
): Promise<void> {
  const iso = (ms: number): string => new Date(ms).toISOString();
  const day = iso(startMs).slice(0, 10).replaceAll('-', '/');
  const second = `${iso(startMs).slice(0, 19)}Z`;
  const minute = `${iso(startMs).slice(0, 16).replaceAll('-', '')}_UTC`;
  const wav = tonesWav(startMs, durationMs);
  const transcript = {
    Participants: ['AGENT', 'CUSTOMER'].map((role) => ({ ParticipantId: role, ParticipantRole: role })),
    LanguageCode: 'en-US',
    Transcript: SENTENCES.map((Content, index) => ({
      ...{ BeginOffsetMillis: index * 2000, EndOffsetMillis: index * 2000 + 1800, Content },
      ...{ ParticipantId: index % 2 === 0 ? 'AGENT' : 'CUSTOMER', Id: String(index) },
      Sentiment: index === 1 ? 'NEGATIVE' : 'NEUTRAL',
    })),
  };
  const record = {
    ContactId: contactId,
    Agent: {
      ConnectedToAgentTimestamp: iso(startMs),
      AfterContactWorkStartTimestamp: iso(startMs + 14_000),
      AfterContactWorkEndTimestamp: iso(startMs + durationMs),
    },
    Holds: [{ StartTimestamp: iso(startMs + 5000), StopTimestamp: iso(startMs + 8000) }],
    DisconnectTimestamp: iso(startMs + 14_000),
    Recordings: [{ StartTimestamp: iso(startMs), MediaStreamType: 'AUDIO' }],
  };
  const files: Record<string, string | Buffer> = {
    [`CallRecordings/${day}/${contactId}_${minute}.wav`]: wav,
    [`Analysis/Voice/Redacted/${day}/${contactId}_call_recording_redacted_${second}.wav`]: wav,
    [`Analysis/Voice/Redacted/${day}/${contactId}_analysis_redacted_${second}.json`]:
      JSON.stringify(transcript),
    [`ContactRecords/${day}/${contactId}.json`]: JSON.stringify(record),
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

/** A call's audio of a known pattern, as a WAV of 16 bits. */
export function tonesWav(startMs: number, durationMs: number): Buffer {
  const samples = Math.round((durationMs / 1000) * SAMPLE_RATE);
  const wav = Buffer.alloc(44 + samples * 2);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + samples * 2, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(SAMPLE_RATE, 24);
  wav.writeUInt32LE(SAMPLE_RATE * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(samples * 2, 40);
  for (let index = 0; index < samples; index += 1) {
    const timeMs = startMs + (index / SAMPLE_RATE) * 1000;
    const intoMs = timeMs % 1000;
    if (intoMs >= TONE_MS) continue;
    const level = Math.sin((intoMs / 1000) * 2 * Math.PI * toneHz(Math.floor(timeMs / 1000)));
    wav.writeInt16LE(Math.round(level * 20_000), 44 + index * 2);
  }
  return wav;
}
