// What `sightline try` prints. Pure.

import type { TrialReport } from '../shared/trial.ts';

export function trialOutput(report: TrialReport): string[] {
  if (!report.ok) return failedOutput(report);
  const { frames, durationMs, sizeBytes, sha256, parts, encryption, removed } = report;
  return [
    'It works: this screen was recorded and published.',
    line('recorded', `${frames} frames in ${(durationMs / 1000).toFixed(1)} s`),
    line('published', report.location),
    line('size', `${sizeBytes} bytes, confirmed by the sink`),
    line('SHA-256', sha256 === null ? `of ${parts} parts, each verified` : `${sha256}, verified`),
    line('encrypted', encryption === null ? 'the sink names no encryption' : encryptionText(encryption)),
    line('events', report.eventsWritten ? 'written' : 'NOT written yet: "sightline doctor" says why'),
    ...(removed === null
      ? []
      : [line('removed', removed.ok ? 'yes, from the sink' : `NO: ${removed.why ?? ''}`)]),
    line('contact', `${report.contactId} (trial)`),
  ];
}

function encryptionText({ algorithm, keyId }: { algorithm: string; keyId?: string | undefined }): string {
  return `${algorithm}${keyId === undefined ? '' : ` with ${keyId}`}, as the store confirmed`;
}

function failedOutput({ step, failure, contactId }: TrialReport & { ok: false }): string[] {
  switch (step) {
    case 'begin':
      return ['Nothing was tried.', `${failure.code}: ${failure.message}`];
    case 'record':
      return [
        'It does not work: this screen was not recorded.',
        `${failure.code}: ${failure.message}`,
        'Next: run "sightline doctor", and look up the code in docs/support.md.',
      ];
    case 'publish':
      return [
        'It does not work: the screen was recorded, and the sink did not take the recording.',
        `${failure.code}: ${failure.message}`,
        `The recording (${contactId}) stays on this computer, and Sightline retries it while it runs.`,
        'Next: run "sightline doctor", and look up the code in docs/support.md.',
      ];
  }
}

function line(name: string, text: string): string {
  return `  ${name.padEnd(10)} ${text}`;
}
