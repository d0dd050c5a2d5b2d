// The texts of tray, indicator and dialogs are in their catalogue, and nowhere else.
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { strings } from '../../../main/shared/strings.ts';

const root = new URL('../../../', import.meta.url);
const inFolder = (folder: string): string[] =>
  readdirSync(new URL(folder, root)).map((name) => `${folder}${name}`);
/** What the agent never sees: log lines, errors that only a developer can cause, the title of a window without a frame. */
const notShown = /\blog\??\.\w+\(|new (Error|IpcRefusal)\(|title: 'Sightline indicator'|new Response\(/;

const files = [
  ...['tray', 'windows', 'indicator', 'statusWindow'].flatMap((room) => inFolder(`main/${room}/`)),
  'main/index.ts',
  'main/desktop.ts',
  'main/status/stateText.ts',
  'renderer/indicator.ts',
];

describe('the texts of tray, indicator and dialogs', () => {
  it.each(files.filter((name) => name.endsWith('.ts')))('are not in %s', (name) => {
    const source = readFileSync(new URL(name, root), 'utf8').replaceAll(
      /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gmu,
      '',
    );
    // A sentence or a label: a capital letter, and a blank or a colon after the first word.
    const found = source
      .split('\n')
      .filter((line) => !notShown.test(line) && /['"`][A-Z][\w-]*[ :][^'"`]*['"`]/u.test(line));
    expect(found).toEqual([]);
  });

  it('place numbers and names themselves', () => {
    expect(strings.state.recording(1)).toBe('Recording 1 contact');
    expect(strings.state.recording(3)).toBe('Recording 3 contacts');
    expect(strings.tray.hours(2, 5)).toBe('For 2 h 5 min');
    expect(strings.dialogs.cannotStart.text('No page.')).toBe('No page.\nInstall Sightline again.');
  });
});
