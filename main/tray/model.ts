// What the tray shows for a state, as data: which icon, which words, which menu. Pure; the window gets its words from
// here too (through index.ts), so that the two never disagree.

import type { StateIcon, StateInWords } from '../shared/ipc.ts';
import type { AppStatePush } from '../shared/protocol.ts';
import { words as catalogue } from '../shared/words.ts';

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

const say = catalogue.tray;

/** @param startProblem why the services are not running, null when they are */
export function stateInWords(state: AppStatePush, startProblem: string | null): StateInWords {
  const said = startProblem === null ? saidOf(state) : problem(startProblem);
  const icon = startProblem === null ? iconOf(state) : 'problem';
  const uploads = uploadsInWords(state.uploads);
  if (said.why === null) return { icon, words: said.words, why: null, detail: null, uploads };
  const { first, rest } = splitSentence(said.why);
  return { icon, words: said.words(first), why: first, detail: rest, uploads };
}

/** Icon, tooltip and menu; details have room in the window only. */
export function trayView({ icon, words, uploads }: StateInWords, offers: TrayOffers): TrayView {
  const lines = [words, ...(uploads === null ? [] : [uploads])];
  const elapsed = offers.elapsedMs === null ? [] : [elapsedInWords(offers.elapsedMs)];
  const command = (label: string, one: TrayCommand): MenuEntry => ({ kind: 'command', label, command: one });
  return {
    icon,
    tooltip: cut(say.tooltip(lines.join('\n'))),
    menu: [
      ...[words, ...elapsed, ...lines.slice(1)].map(
        (label) => ({ kind: 'words', label: cut(label) }) as const,
      ),
      { kind: 'separator' },
      ...(offers.agent === 'may-suspend' ? [command(say.suspend, 'suspend')] : []),
      ...(offers.agent === 'may-resume' ? [command(say.resume, 'resume')] : []),
      ...indicatorCommands(offers.indicator).map(([label, one]) => command(label, one)),
      command(say.showWindow, 'show-window'),
      ...(offers.canExport ? [command(say.exportDiagnostics, 'export-diagnostics')] : []),
      command(say.about(offers.version), 'about'),
      { kind: 'separator' },
      command(say.quit, 'quit'),
    ],
  };
}

function indicatorCommands(indicator: TrayOffers['indicator']): [string, TrayCommand][] {
  if (indicator === null) return [];
  if (indicator.mayHide && indicator.hidden) return [[say.showIndicator, 'show-indicator']];
  const size: [string, TrayCommand] = indicator.shrunk
    ? [say.largerIndicator, 'grow-indicator']
    : [say.smallerIndicator, 'shrink-indicator'];
  return indicator.mayHide ? [size, [say.hideIndicator, 'hide-indicator']] : [size];
}

/** To the minute: the menu is told once a minute. */
function elapsedInWords(elapsedMs: number): string {
  const minutes = Math.floor(elapsedMs / 60_000);
  if (minutes < 1) return say.lessThanAMinute;
  return minutes < 60 ? say.minutes(minutes) : say.hours(Math.floor(minutes / 60), minutes % 60);
}

/** `why` may go on with what to do about it; null where the words say it all. */
type Said =
  | { readonly words: string; readonly why: null }
  | { readonly words: (why: string) => string; readonly why: string };

function saidOf({ state, contacts, reason }: AppStatePush): Said {
  const { state: words } = catalogue;
  switch (state) {
    case 'idle':
      return plain(words.idle);
    case 'starting':
      return plain(words.starting);
    case 'recording': {
      const recorded = contacts.filter((contact) => contact.state === 'recording').length;
      if (recorded > 0) return plain(words.recording(recorded));
      return plain(
        contacts.some((contact) => contact.state !== 'stopping') ? words.recordingForNone : words.ending,
      );
    }
    case 'suspended':
      return plain(reason?.code === 'agent' ? words.suspendedByAgent : words.suspended);
    case 'paused':
      return { words: words.paused, why: reason?.message ?? words.pausedUnknown };
    case 'problem':
      // Without a contact nothing is tried again: ffmpeg's own words would not help the agent.
      if (contacts.length === 0 && (reason === null || reason.code === 'ENCODER_UNAVAILABLE'))
        return problem(words.noEncoder);
      return problem(reason?.message ?? words.notCaptured);
  }
}

function plain(words: string): Said {
  return { words, why: null };
}

function problem(why: string): Said {
  return { words: catalogue.state.problem, why };
}

function iconOf({ state, uploads }: AppStatePush): StateIcon {
  // To the agent both say the same: nothing is captured now, and it is meant to be so.
  if (state === 'paused') return 'suspended';
  if (state !== 'idle') return state;
  if (uploads.failed > 0) return 'problem';
  return uploads.pending > 0 ? 'uploading' : 'idle';
}

function uploadsInWords({ pending, failed, reason }: AppStatePush['uploads']): string | null {
  const { waiting: waitingFor, failed: failedOf, together, because } = catalogue.deliveries;
  const waiting = pending > 0 ? [waitingFor(pending)] : [];
  const trouble = failed > 0 ? [failedOf(failed)] : [];
  const parts = [...waiting, ...trouble];
  if (parts.length === 0) return null;
  const what = together(parts);
  return cut(reason === null ? what : because(what, splitSentence(reason.message).first));
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
