// What the agent chose for the indicator, in dataDir/indicator.json: atomic, versioned. A file that cannot be read loses
// the choices and nothing else; one of a newer version is left alone.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../platform/atomicFile.ts';
import type { Logger } from '../platform/log.ts';
import type { IndicatorChoices } from './model.ts';
import { DEFAULT_CHOICES } from './model.ts';

const VERSION = 1;
const share = z.number().min(0).max(1);
const fileSchema = z.object({
  version: z.literal(VERSION),
  shrunk: z.boolean(),
  hidden: z.boolean(),
  places: z.record(z.string().max(64), z.object({ x: share, y: share })),
});

export class IndicatorStore {
  private readonly file: string;
  private saved: Promise<void> = Promise.resolve();
  private isOurs = true;
  choices: IndicatorChoices = DEFAULT_CHOICES;

  constructor(
    dataDir: string,
    private readonly log: Logger,
  ) {
    this.file = join(dataDir, 'indicator.json');
  }

  async load(): Promise<void> {
    const text = await readFile(this.file, 'utf8').catch(() => null);
    if (text === null) return;
    try {
      const value: unknown = JSON.parse(text);
      const { version } = z.object({ version: z.number() }).parse(value);
      this.isOurs = version <= VERSION;
      if (!this.isOurs) return;
      const { shrunk, hidden, places } = fileSchema.parse(value);
      this.choices = { shrunk, hidden, places };
    } catch (error) {
      this.log.warn('the choices for the indicator could not be read', { reason: String(error) });
    }
  }

  /** `choices` changes at once; resolves after the attempt to write them. */
  change(change: Partial<IndicatorChoices>): Promise<void> {
    this.choices = { ...this.choices, ...change };
    if (!this.isOurs) return this.saved;
    const text = `${JSON.stringify({ version: VERSION, ...this.choices })}\n`;
    this.saved = this.saved
      .then(() => writeFileAtomically(this.file, text))
      .catch((error: unknown) =>
        this.log.warn('the choices for the indicator could not be saved', { reason: String(error) }),
      );
    return this.saved;
  }
}
