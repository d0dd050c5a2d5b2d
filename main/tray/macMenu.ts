// The menu bar that macOS shows while the window is in front: its Quit asks like the tray's.

import { Menu } from 'electron';
import { words } from '../shared/words.ts';

export function macMenu(onQuit: () => void): ReturnType<typeof Menu.buildFromTemplate> {
  const quit = { label: words.tray.quitInMenuBar, accelerator: 'Command+Q', click: onQuit };
  return Menu.buildFromTemplate([
    { label: 'Sightline', submenu: [quit] },
    { role: 'editMenu' },
    { role: 'windowMenu' },
  ]);
}
