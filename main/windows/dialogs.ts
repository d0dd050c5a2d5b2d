// The system's dialogs: where to export diagnostics to, and whether to quit during a recording.

import { app, dialog } from 'electron';
import { join } from 'node:path';
import { errorMessage } from '../shared/errors.ts';
import type { ExportOutcome } from '../shared/ipc.ts';
import { strings } from '../shared/strings.ts';

interface Exporter {
  countCrashDumps(): Promise<number>;
  export(file: string, includeCrashDumps: boolean): Promise<{ readonly file: string }>;
}

/** @param showFailure whether a box shows it; otherwise the caller does */
export async function exportWithDialog(diagnostics: Exporter, showFailure: boolean): Promise<ExportOutcome> {
  const { title, zip, failed } = strings.dialogs.exportDiagnostics;
  const name = `sightline-diagnostics-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}.zip`;
  const { canceled, filePath } = await dialog.showSaveDialog({
    title,
    defaultPath: join(app.getPath('documents'), name),
    filters: [{ name: zip, extensions: ['zip'] }],
  });
  if (canceled || filePath === '') return { status: 'cancelled' };
  try {
    const { file } = await diagnostics.export(
      filePath,
      await includesDumps(await diagnostics.countCrashDumps()),
    );
    return { status: 'saved', file };
  } catch (error) {
    const message = errorMessage(error);
    if (showFailure) dialog.showErrorBox(failed, message);
    return { status: 'failed', message };
  }
}

async function includesDumps(count: number): Promise<boolean> {
  if (count === 0) return false;
  const { message, detail, leaveOut, include } = strings.dialogs.crashDumps;
  const { response } = await dialog.showMessageBox({
    ...{ type: 'question', title: 'Sightline', message, detail, buttons: [leaveOut, include] },
    ...{ defaultId: 0, cancelId: 0 },
  });
  return response === 1;
}

/** Asks for confirmation while a contact is recorded; a second click on Quit while the question is open quits. */
export function quitAskingFirst(isRecording: () => boolean, quit: () => void): () => void {
  let asking = false;
  const { message, detail, keep, end } = strings.dialogs.quit;
  return () => {
    if (!isRecording() || asking) return quit();
    asking = true;
    void dialog
      .showMessageBox({
        type: 'warning',
        title: 'Sightline',
        message,
        detail,
        buttons: [keep, end],
        defaultId: 0,
        cancelId: 0,
      })
      .then(({ response }) => {
        asking = false;
        if (response === 1) quit();
      });
  };
}
