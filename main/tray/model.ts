// What the tray shows for a state, as data: icon, tooltip, menu. Pure.

import type { AgentOffer, StateIcon, StateText } from '../shared/ipc.ts';
import { strings } from '../shared/strings.ts';
import { stateLine } from '../status/stateText.ts';

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

/** What the menu contains besides what is always in it. */
export interface TrayOffers {
  readonly version: string;
  /** How long the state has lasted; null: no duration is shown. */
  readonly elapsedMs: number | null;
  readonly agent: AgentOffer;
  readonly mayQuit: boolean;
  readonly indicator: {
    readonly shrunk: boolean;
    readonly hidden: boolean;
    readonly mayHide: boolean;
  } | null;
}

export type MenuEntry =
  | { readonly kind: 'text'; readonly label: string }
  | { readonly kind: 'separator' }
  | { readonly kind: 'command'; readonly label: string; readonly command: TrayCommand };

export interface TrayView {
  readonly icon: StateIcon;
  readonly tooltip: string;
  readonly menu: readonly MenuEntry[];
}

/** Windows cuts a tooltip off after 127 characters (NOTIFYICONDATA); a menu that wide would be hard to read as well. */
const LINE_LENGTH = 110;

const texts = strings.tray;

export function trayView(text: StateText, offers: TrayOffers): TrayView {
  const uploads = text.uploads === null ? [] : [text.uploads];
  const state = stateLine(text);
  const elapsed = offers.elapsedMs === null ? [] : [elapsedText(offers.elapsedMs)];
  const command = (label: string, one: TrayCommand): MenuEntry => ({ kind: 'command', label, command: one });
  return {
    icon: text.icon,
    tooltip: cut(texts.tooltip([state, ...uploads].join('\n'))),
    menu: [
      ...[state, ...elapsed, ...uploads].map((label) => ({ kind: 'text', label: cut(label) }) as const),
      { kind: 'separator' },
      ...(offers.agent === 'may-suspend' ? [command(texts.suspend, 'suspend')] : []),
      ...(offers.agent === 'may-resume' ? [command(texts.resume, 'resume')] : []),
      ...indicatorCommands(offers.indicator).map(([label, one]) => command(label, one)),
      command(texts.showWindow, 'show-window'),
      command(texts.exportDiagnostics, 'export-diagnostics'),
      command(texts.about(offers.version), 'about'),
      ...(offers.mayQuit ? [{ kind: 'separator' } as const, command(texts.quit, 'quit')] : []),
    ],
  };
}

function indicatorCommands(indicator: TrayOffers['indicator']): [string, TrayCommand][] {
  if (indicator === null) return [];
  if (indicator.mayHide && indicator.hidden) return [[texts.showIndicator, 'show-indicator']];
  const size: [string, TrayCommand] = indicator.shrunk
    ? [texts.largerIndicator, 'grow-indicator']
    : [texts.smallerIndicator, 'shrink-indicator'];
  return indicator.mayHide ? [size, [texts.hideIndicator, 'hide-indicator']] : [size];
}

/** To the minute, because an open menu is not updated more often. */
function elapsedText(elapsedMs: number): string {
  const minutes = Math.floor(elapsedMs / 60_000);
  if (minutes < 1) return texts.lessThanAMinute;
  return minutes < 60 ? texts.minutes(minutes) : texts.hours(Math.floor(minutes / 60), minutes % 60);
}

function cut(text: string): string {
  return text.length <= LINE_LENGTH ? text : `${text.slice(0, LINE_LENGTH - 1)}…`;
}

/** The icon has an outline, which makes it readable on every panel. */
export function iconFile(icon: StateIcon, platform: NodeJS.Platform): string {
  // Windows draws 16 points; Linux panels 22 to 32 pixels, scaled down from the larger image.
  return `${icon}-${platform === 'linux' ? 32 : 16}.png`;
}
