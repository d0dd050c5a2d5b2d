// The words of tray, indicator and dialogs are in their catalogue, and nowhere else.
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { words } from '../../../main/shared/words.ts';

const root = new URL('../../../', import.meta.url);
const inFolder = (folder: string): string[] =>
  readdirSync(new URL(folder, root)).map((name) => `${folder}${name}`);
/** What the agent never sees: the log's lines, an error that only a developer can bring about, a window without a frame. */
const notShown = /\blog\??\.\w+\(|new Error\(|title: 'Sightline indicator'|new Response\(/;

const files = [
  ...inFolder('main/tray/'),
  ...inFolder('main/windows/'),
  'main/index.ts',
  'renderer/indicator.ts',
];

describe('the words of tray, indicator and dialogs', () => {
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

  it('have no figure or name glued on at a fixed place', () => {
    expect(words.state.recording(1)).toBe('Recording 1 contact');
    expect(words.state.recording(3)).toBe('Recording 3 contacts');
    expect(words.tray.hours(2, 5)).toBe('For 2 h 5 min');
    expect(words.dialogs.cannotStart.text('No page.')).toBe('No page.\nInstall Sightline again.');
  });
});
