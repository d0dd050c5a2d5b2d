// Compares the MP4 with the SHA-256 of its manifest.

import { createHash } from 'node:crypto';
import type { Verification } from '../../contract.ts';
import { manifestSchema } from '../../../main/shared/manifest.ts';
import { parseJson } from '../../../main/shared/json.ts';
import type { ReviewFile } from '../library/ports.ts';

export interface VerifyOrder {
  readonly manifestText: string;
  readonly file: ReviewFile;
  readonly signal: AbortSignal;
}

export async function verifyRecording({ manifestText, file, signal }: VerifyOrder): Promise<Verification> {
  const checkedAt = new Date().toISOString();
  const manifest = manifestSchema.safeParse(parseJson(manifestText));
  const sha256 = manifest.data?.video.sha256;
  if (sha256 === undefined)
    return {
      verdict: 'not-verifiable',
      findings: ['The manifest has no SHA-256 of the whole MP4.'],
      checkedAt,
    };
  const hash = createHash('sha256');
  if (file.sizeBytes > 0)
    for await (const part of await file.read(0, file.sizeBytes - 1, signal)) hash.update(part);
  const isIntact = hash.digest('hex') === sha256;
  const finding = isIntact
    ? "The MP4's SHA-256 is that of the manifest."
    : "The MP4's SHA-256 is not that of the manifest: the MP4 was changed or replaced.";
  return { verdict: isIntact ? 'intact' : 'changed', findings: [finding], checkedAt };
}
