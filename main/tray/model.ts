// What the tray shows for a state, as data: which icon, which words, which menu. Pure; the window gets its words from
// here too (through index.ts), so that the two never disagree.

import type { StateIcon, StateInWords } from '../shared/ipc.ts';
import type { AppStatePush } from '../shared/protocol.ts';

export type TrayCommand =
  | 'suspend'
  | 'resume'
  | 'shrink-indicator'
  | 'grow-indicator'
  | 'hide-indicator'
  | 'show-indicator'
  | 'show-window'
  | 'export-diagnostics'
  | 'about'
  | 'quit';

/** What the menu offers beside what is always in it. */
export interface TrayOffers {
  readonly version: string;
  /** How long the oldest contact has been recorded; null: none is. */
  readonly elapsedMs: number | null;
  /** The agent's own suspension: begun, possible, or not to be had. */
  readonly agent: 'may-resume' | 'may-suspend' | 'no';
  readonly indicator: {
    readonly shrunk: boolean;
    readonly hidden: boolean;
    readonly mayHide: boolean;
  } | null;
  readonly canExport: boolean;
}

export type MenuEntry =
  | { readonly kind: 'words'; readonly label: string }
  | { readonly kind: 'separator' }
  | { readonly kind: 'command'; readonly label: string; readonly command: TrayCommand };

export interface TrayView {
  readonly icon: StateIcon;
  readonly tooltip: string;
  readonly menu: readonly MenuEntry[];
}

/** Windows cuts a tooltip off after 127 characters (NOTIFYICONDATA); a menu that wide would be hard to read as well. */
const LINE_LENGTH = 110;

/** @param startProblem why the services are not running, null when they are */
export function stateInWords(state: AppStatePush, startProblem: string | null): StateInWords {
  const { first, rest } = splitSentence(startProblem === null ? wordsOf(state) : `Problem: ${startProblem}`);
  return {
    icon: startProblem === null ? iconOf(state) : 'problem',
    words: first,
    detail: rest,
    uploads: uploadsInWords(state.uploads),
  };
}

/** Icon, tooltip and menu; details have room in the window only. */
export function trayView({ icon, words, uploads }: StateInWords, offers: TrayOffers): TrayView {
  const lines = [words, ...(uploads === null ? [] : [uploads])];
  const elapsed = offers.elapsedMs === null ? [] : [elapsedInWords(offers.elapsedMs)];
  const command = (label: string, one: TrayCommand): MenuEntry => ({ kind: 'command', label, command: one });
  return {
    icon,
    tooltip: cut(`Sightline: ${lines.join('\n')}`),
    menu: [
      ...[words, ...elapsed, ...lines.slice(1)].map(
        (label) => ({ kind: 'words', label: cut(label) }) as const,
      ),
      { kind: 'separator' },
      ...(offers.agent === 'may-suspend' ? [command('Suspend recording', 'suspend')] : []),
      ...(offers.agent === 'may-resume' ? [command('Resume recording', 'resume')] : []),
      ...indicatorCommands(offers.indicator).map(([label, one]) => command(label, one)),
      command('Show window', 'show-window'),
      ...(offers.canExport ? [command('Export diagnostics…', 'export-diagnostics')] : []),
      command(`About Sightline ${offers.version}`, 'about'),
      { kind: 'separator' },
      command('Quit', 'quit'),
    ],
  };
}

function indicatorCommands(indicator: TrayOffers['indicator']): [string, TrayCommand][] {
  if (indicator === null) return [];
  if (indicator.mayHide && indicator.hidden) return [['Show indicator', 'show-indicator']];
  const size: [string, TrayCommand] = indicator.shrunk
    ? ['Larger indicator', 'grow-indicator']
    : ['Smaller indicator', 'shrink-indicator'];
  return indicator.mayHide ? [size, ['Hide indicator', 'hide-indicator']] : [size];
}

/** To the minute: the menu is told once a minute. */
function elapsedInWords(elapsedMs: number): string {
  const minutes = Math.floor(elapsedMs / 60_000);
  if (minutes < 1) return 'For less than a minute';
  return minutes < 60 ? `For ${minutes} min` : `For ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function wordsOf({ state, contacts, reason }: AppStatePush): string {
  switch (state) {
    case 'idle':
      return 'Not recording';
    case 'starting':
      return 'Starting to record';
    case 'recording': {
      const recorded = contacts.filter((contact) => contact.state === 'recording').length;
      if (recorded > 0) return `Recording ${counted(recorded, 'contact')}`;
      return contacts.some((contact) => contact.state !== 'stopping')
        ? 'Recording'
        : 'Recording is coming to its end';
    }
    case 'suspended':
      return reason?.code === 'agent'
        ? 'Suspended by you: nothing is captured'
        : 'Suspended: nothing is captured';
    case 'paused':
      return `Paused: ${reason?.message ?? 'nothing is captured'}`;
    case 'problem':
      if (reason !== null) return `Problem: ${reason.message}`;
      // No reason from capture: with a contact it is trying again, without one the encoder is missing.
      return contacts.length > 0
        ? 'Problem: The screen is not being captured. It is tried again until it works.'
        : 'Problem: There is no video encoder. Contacts cannot be recorded until Sightline is installed again.';
  }
}

function iconOf({ state, uploads }: AppStatePush): StateIcon {
  // To the agent both say the same: nothing is captured now, and it is meant to be so.
  if (state === 'paused') return 'suspended';
  if (state !== 'idle') return state;
  if (uploads.failed > 0) return 'problem';
  return uploads.pending > 0 ? 'uploading' : 'idle';
}

function uploadsInWords({ pending, failed, reason }: AppStatePush['uploads']): string | null {
  const waiting = pending > 0 ? [`Delivering ${counted(pending, 'recording')}`] : [];
  const trouble = failed > 0 ? [`${counted(failed, 'recording')} not delivered yet, tried again`] : [];
  const parts = [...waiting, ...trouble];
  if (parts.length === 0) return null;
  const why = reason === null ? '' : `: ${splitSentence(reason.message).first}`;
  return cut(`${parts.join('; ')}${why}`);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** What happened, and what to do about it: messages begin with the one and go on with the other. */
function splitSentence(text: string): { first: string; rest: string | null } {
  const [, first, rest] = /^(.+?)\. ([A-Z].*)$/su.exec(text) ?? [];
  return first === undefined || rest === undefined
    ? { first: text.replace(/\.$/, ''), rest: null }
    : { first, rest };
}

function cut(text: string): string {
  return text.length <= LINE_LENGTH ? text : `${text.slice(0, LINE_LENGTH - 1)}…`;
}

/** macOS colours a template image itself; elsewhere there is one picture for a light panel and one for a dark. */
export function iconFile(icon: StateIcon, platform: NodeJS.Platform, isDark: boolean): string {
  if (platform === 'darwin') return `${icon}Template.png`;
  // Windows draws 16 points; Linux panels 22 to 32 pixels, scaled down from the larger picture.
  return `${icon}-${isDark ? 'dark' : 'light'}-${platform === 'linux' ? 32 : 16}.png`;
}
