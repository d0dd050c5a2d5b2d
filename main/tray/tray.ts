// The icon in the system tray: puts a TrayView on the screen and passes the menu's commands on. On Linux clicks on the
// icon are unreliable and some desktops show no tray, so everything is in the menu, and the tray is never the only way.

import { Menu, Tray, nativeImage } from 'electron';
import type { MenuItemConstructorOptions, NativeImage } from 'electron';
import { join } from 'node:path';
import type { StateIcon } from '../shared/ipc.ts';
import type { MenuEntry, TrayCommand, TrayView } from './model.ts';

export interface StateTray {
  show(view: TrayView): void;
  remove(): void;
}

export interface TrayOptions {
  readonly iconsFolder: string;
  readonly first: TrayView;
  readonly onCommand: (command: TrayCommand) => void;
}

/** Windows and macOS draw 16 points; Linux panels 22 to 32 pixels, scaled down from the larger picture. */
const ICON_SIZE = process.platform === 'linux' ? 32 : 16;

/** Only after the app is ready. */
export function createTray({ iconsFolder, first, onCommand }: TrayOptions): StateTray {
  // nativeImage finds the `@2x` picture beside each one by itself.
  const iconOf = (icon: StateIcon): NativeImage =>
    nativeImage.createFromPath(join(iconsFolder, 'tray', `${icon}-${ICON_SIZE}.png`));
  const tray = new Tray(iconOf(first.icon));
  let shown = '';
  const show = (view: TrayView): void => {
    // A menu that is open would close: it is only replaced when something has changed.
    const next = JSON.stringify(view);
    if (next === shown) return;
    shown = next;
    tray.setImage(iconOf(view.icon));
    tray.setToolTip(view.tooltip);
    tray.setContextMenu(Menu.buildFromTemplate(view.menu.map((entry) => menuItem(entry, onCommand))));
  };
  show(first);
  tray.on('click', () => onCommand('show-window'));
  return { show, remove: () => tray.destroy() };
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
