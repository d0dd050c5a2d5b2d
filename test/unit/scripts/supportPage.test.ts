// docs/support.md is written by hand: every code and state that Sightline can report has an entry there.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorSources } from '../../../main/shared/errors.ts';
import type { AppState } from '../../../main/shared/names.ts';
import { pauseReasonSchema } from '../../../main/shared/names.ts';

const page = readFileSync(new URL('../../../docs/support.md', import.meta.url), 'utf8');
/** The text under each heading of any level, by the heading. */
const sections = new Map(
  page.split(/^#+ /mu).map((part): [string, string] => {
    const [heading = '', ...lines] = part.split('\n');
    return [heading, lines.join('\n')];
  }),
);
const section = (heading: string): string => sections.get(heading) ?? '';

describe('docs/support.md', () => {
  it('has an entry for each error code, and for no other', () => {
    const headings = [...sections.keys()].filter((heading) => /^[A-Z]+(?:_[A-Z]+)*$/u.test(heading));
    expect(headings.sort()).toEqual(Object.keys(errorSources).sort());
  });

  it.each(Object.entries(errorSources))('%s: source, where it is seen, causes and fix', (code, source) => {
    const text = section(code);
    const [, named = 'CLIENT'] = /\bSource: ([A-Z]+)\./u.exec(text) ?? [];
    expect(named).toBe(source);
    expect(text).toMatch(/^- Seen in: .+\.$/mu);
    expect(text).toMatch(/^- Causes:\n {2}- .+/mu);
    expect(text).toMatch(/^- Fix:\n {2}1\. .+/mu);
  });

  it('links each error code from the index', () => {
    const linked = new Set([...section('Index').matchAll(/\[([A-Z_]+)\]/gu)].map(([, code = '']) => code));
    expect([...linked].sort()).toEqual(Object.keys(errorSources).sort());
  });

  it('has an entry for each state', () => {
    // The compiler refuses a state that is missing here.
    const states: Readonly<Record<AppState, string>> = {
      idle: 'Not recording',
      starting: 'Starting',
      recording: 'Recording',
      suspended: 'Suspended',
      paused: 'Paused',
      problem: 'Problem',
    };
    for (const [state, heading] of Object.entries(states))
      expect(section(heading).trimStart()).toMatch(new RegExp(`^\\(\`${state}\`\\)`, 'u'));
  });

  it.each(pauseReasonSchema.options)('says what to do about the pause reason %s', (reason) => {
    expect(section('Paused')).toContain(`| \`${reason}\``);
  });

  it.each([0, 1, 64, 69])('has an entry for exit code %d', (code) => {
    expect(section(`Exit code ${code}`).trim()).not.toBe('');
  });
});
