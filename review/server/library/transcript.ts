// Contact Lens's file of an analysed call as lines of who said what when. Its shape:
// https://docs.aws.amazon.com/connect/latest/adminguide/contact-lens-example-output-files.html

import { z } from 'zod';
import type { Transcript, TranscriptLine } from '../../contract.ts';
import { parseJsonObject } from '../../../main/shared/json.ts';
import { safeText } from './names.ts';

/** Hours of speech, with loudness and redactions for each turn. */
export const MAX_TRANSCRIPT_BYTES = 16 * 1024 * 1024;
const MAX_LINES = 20_000;
const MAX_PARTICIPANTS = 100;
const MAX_TEXT = 10_000;
const MAX_LANGUAGE = 35;

const participantSchema = z.object({
  ParticipantId: z.string(),
  ParticipantRole: z.string(),
});
const offset = z.number().nonnegative();
const lineSchema = z.object({
  BeginOffsetMillis: offset,
  EndOffsetMillis: offset,
  Content: z.string(),
  ParticipantId: z.string(),
  Sentiment: z.enum(['POSITIVE', 'NEGATIVE', 'NEUTRAL', 'MIXED']).nullable().catch(null),
});

/**
 * Elements that are no lines of speech are left out.
 * @param isRedacted by its name; what the file says of itself can only make it more private
 * @returns null: not a file of Contact Lens
 */
export function readTranscript(text: string, isRedacted: boolean): Transcript | null {
  const found = parseJsonObject(text);
  const list = found?.['Transcript'];
  if (found === null || !Array.isArray(list)) return null;
  const roles = rolesIn(found['Participants']);
  const lines: TranscriptLine[] = [];
  for (const one of list.slice(0, MAX_LINES) as unknown[]) {
    const { data: line } = lineSchema.safeParse(one);
    if (line === undefined) continue;
    lines.push({
      beginMs: Math.round(line.BeginOffsetMillis),
      endMs: Math.round(Math.max(line.BeginOffsetMillis, line.EndOffsetMillis)),
      participant: roles.get(line.ParticipantId) ?? roleNamed(line.ParticipantId) ?? 'SYSTEM',
      text: safeText(line.Content, MAX_TEXT),
      sentiment: line.Sentiment,
    });
  }
  lines.sort((one, other) => one.beginMs - other.beginMs);
  const language = found['LanguageCode'];
  return {
    lines,
    kind: isRedacted && outputOf(found) !== 'Raw' ? 'redacted' : 'original',
    language: typeof language === 'string' ? safeText(language, MAX_LANGUAGE) : null,
  };
}

function rolesIn(participants: unknown): Map<string, TranscriptLine['participant']> {
  const list: unknown[] = Array.isArray(participants) ? participants.slice(0, MAX_PARTICIPANTS) : [];
  return new Map(
    list.flatMap((one) => {
      const { data } = participantSchema.safeParse(one);
      const role = data === undefined ? null : roleNamed(data.ParticipantRole);
      return data === undefined || role === null ? [] : [[data.ParticipantId, role] as const];
    }),
  );
}

/** Older files have the role itself as the participant's id. */
function roleNamed(name: string): TranscriptLine['participant'] | null {
  return name === 'AGENT' || name === 'CUSTOMER' || name === 'SYSTEM' ? name : null;
}

/** `Raw`: the original. */
function outputOf(found: Record<string, unknown>): unknown {
  const content = found['ContentMetadata'];
  return typeof content === 'object' && content !== null && 'Output' in content ? content.Output : null;
}
