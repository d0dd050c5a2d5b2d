// Asks where the diagnostics bundle is to go, and says so when it could not be written.

import { app, dialog } from 'electron';
import { join } from 'node:path';
import type { ExportOutcome } from '../shared/ipc.ts';

/** @param write writes the zip @param isHeard whether the one who asked shows the outcome; else a box does */
export async function exportWithDialog(
  write: (file: string) => Promise<{ readonly file: string }>,
  isHeard: boolean,
): Promise<ExportOutcome> {
  const name = `sightline-diagnostics-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}.zip`;
  const { canceled, filePath } = await dialog.showSaveDialog({
    title: 'Export diagnostics',
    defaultPath: join(app.getPath('documents'), name),
    filters: [{ name: 'Zip', extensions: ['zip'] }],
  });
  if (canceled || filePath === '') return { status: 'cancelled' };
  try {
    const { file } = await write(filePath);
    return { status: 'saved', file };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (!isHeard) dialog.showErrorBox('The diagnostics could not be exported', message);
    return { status: 'failed', message };
  }
}
