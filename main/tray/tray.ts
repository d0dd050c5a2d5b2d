// The icon in the system tray: shows a TrayView and passes the menu's commands on. On Linux clicks on the icon are
// unreliable and some desktops show no tray, so everything is in the menu, and the tray is never the only way.

import { Menu, Tray, nativeImage } from 'electron';
import type { MenuItemConstructorOptions, NativeImage } from 'electron';
import { join } from 'node:path';
import type { StateIcon } from '../shared/ipc.ts';
import { iconFile } from './model.ts';
import type { MenuEntry, TrayCommand, TrayView } from './model.ts';

export interface StateTray {
  /** Shows the newest view. */
  refresh(): void;
  remove(): void;
}

export interface TrayOptions {
  readonly iconsFolder: string;
  /** The newest view: read when the menu opens, on refresh(), and once a minute while it counts. */
  readonly view: () => TrayView;
  /** Whether the view changes with time alone. */
  readonly isCounting: () => boolean;
  readonly onCommand: (command: TrayCommand) => void;
}

const MINUTE_MS = 60_000;

/** Only after the app is ready. */
export function createTray({ iconsFolder, view, isCounting, onCommand }: TrayOptions): StateTray {
  // nativeImage finds the `@2x` image beside each one.
  const iconOf = (icon: StateIcon): NativeImage =>
    nativeImage.createFromPath(join(iconsFolder, 'tray', iconFile(icon, process.platform)));
  const tray = new Tray(iconOf(view().icon));
  const menuOf = ({ menu }: TrayView): ReturnType<typeof Menu.buildFromTemplate> =>
    Menu.buildFromTemplate(menu.map((entry) => menuItem(entry, onCommand)));
  let shown = '';
  let minute: NodeJS.Timeout | undefined;
  const refresh = (): void => {
    const now = view();
    if (isCounting()) {
      minute ??= setInterval(refresh, MINUTE_MS).unref();
    } else {
      clearInterval(minute);
      minute = undefined;
    }
    // An open menu would close: it is only replaced when something has changed.
    const next = JSON.stringify(now);
    if (next === shown) return;
    shown = next;
    tray.setImage(iconOf(now.icon));
    tray.setToolTip(now.tooltip);
    // Linux has no event for a menu that opens: it is there beforehand.
    if (process.platform === 'linux') tray.setContextMenu(menuOf(now));
  };
  refresh();
  const popUp = (): void => tray.popUpContextMenu(menuOf(view()));
  if (process.platform !== 'linux') tray.on('right-click', popUp);
  tray.on('click', () => onCommand('show-window'));
  return {
    refresh,
    remove() {
      clearInterval(minute);
      tray.destroy();
    },
  };
}

function menuItem(entry: MenuEntry, onCommand: (command: TrayCommand) => void): MenuItemConstructorOptions {
  switch (entry.kind) {
    case 'text':
      return { label: entry.label, enabled: false };
    case 'separator':
      return { type: 'separator' };
    case 'command':
      return { label: entry.label, click: () => onCommand(entry.command) };
  }
}
