// The icon in the system tray: puts a TrayView on the screen and passes the menu's commands on. On Linux clicks on the
// icon are unreliable and some desktops show no tray, so everything is in the menu, and the tray is never the only way.

import { Menu, Tray, nativeImage, nativeTheme } from 'electron';
import type { MenuItemConstructorOptions, NativeImage } from 'electron';
import { join } from 'node:path';
import type { StateIcon } from '../shared/ipc.ts';
import { iconFile } from './model.ts';
import type { MenuEntry, TrayCommand, TrayView } from './model.ts';

export interface StateTray {
  /** Shows how things are now. */
  refresh(): void;
  remove(): void;
}

export interface TrayOptions {
  readonly iconsFolder: string;
  /** How things are now: asked for when the menu opens, when told to, and once a minute while something is recorded. */
  readonly view: () => TrayView;
  /** Whether the view changes with time alone. */
  readonly isCounting: () => boolean;
  readonly onCommand: (command: TrayCommand) => void;
}

const MINUTE_MS = 60_000;

/** Only after the app is ready. */
export function createTray({ iconsFolder, view, isCounting, onCommand }: TrayOptions): StateTray {
  // nativeImage finds the `@2x` picture beside each one, and takes `...Template` as one for macOS, by itself.
  const iconOf = (icon: StateIcon): NativeImage =>
    nativeImage.createFromPath(
      join(iconsFolder, 'tray', iconFile(icon, process.platform, nativeTheme.shouldUseDarkColors)),
    );
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
    // A menu that is open would close: it is only replaced when something has changed.
    const next = JSON.stringify([now, nativeTheme.shouldUseDarkColors]);
    if (next === shown) return;
    shown = next;
    tray.setImage(iconOf(now.icon));
    tray.setToolTip(now.tooltip);
    // On Linux nobody tells that the menu opens: it is there beforehand.
    if (process.platform === 'linux') tray.setContextMenu(menuOf(now));
  };
  refresh();
  nativeTheme.on('updated', refresh);
  if (process.platform !== 'linux') {
    const popUp = (): void => tray.popUpContextMenu(menuOf(view()));
    tray.on('right-click', popUp);
    tray.on('click', process.platform === 'darwin' ? popUp : () => onCommand('show-window'));
  } else {
    tray.on('click', () => onCommand('show-window'));
  }
  return {
    refresh,
    remove() {
      clearInterval(minute);
      nativeTheme.removeListener('updated', refresh);
      tray.destroy();
    },
  };
}

function menuItem(entry: MenuEntry, onCommand: (command: TrayCommand) => void): MenuItemConstructorOptions {
  switch (entry.kind) {
    case 'words':
      return { label: entry.label, enabled: false };
    case 'separator':
      return { type: 'separator' };
    case 'command':
      return { label: entry.label, click: () => onCommand(entry.command) };
  }
}
