// Asks where the diagnostics bundle is to go, and says so when it could not be written.

import { app, dialog } from 'electron';
import { join } from 'node:path';
import type { ExportOutcome } from '../shared/ipc.ts';
import { words } from '../shared/words.ts';

const { title, zip, failed } = words.dialogs.exportDiagnostics;

/** @param write writes the zip @param isHeard whether the one who asked shows the outcome; else a box does */
export async function exportWithDialog(
  write: (file: string) => Promise<{ readonly file: string }>,
  isHeard: boolean,
): Promise<ExportOutcome> {
  const name = `sightline-diagnostics-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}.zip`;
  const { canceled, filePath } = await dialog.showSaveDialog({
    title,
    defaultPath: join(app.getPath('documents'), name),
    filters: [{ name: zip, extensions: ['zip'] }],
  });
  if (canceled || filePath === '') return { status: 'cancelled' };
  try {
    const { file } = await write(filePath);
    return { status: 'saved', file };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (!isHeard) dialog.showErrorBox(failed, message);
    return { status: 'failed', message };
  }
}
