// The composition root's part for the windows: gathers what the services say into one state with a revision, and
// answers what a window asks. Works only while somebody watches; state goes one way, and nothing here decides anything.

import { relative, isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Handlers } from '../../ipc/model.ts';
import type { OverviewParts } from './overviewParts.ts';
import { RecentRecordings, shownContact, shownMonitors, shownUpload } from './overviewModel.ts';
import type { Logger } from '../../platform/log.ts';
import type { Services } from '../../services.ts';
import type { ExportOutcome, ShownState, StateInWords } from '../../shared/ipc.ts';
import type {
  ShownAbout,
  ShownCheck,
  ShownChecks,
  ShownMonitors,
  ShownRecording,
} from '../../shared/overview.ts';
import type { AppStatePush } from '../../shared/protocol.ts';

export interface OverviewOptions {
  /** null: they could not be started. */
  readonly services:
    (Pick<Services, 'hub' | 'port' | 'session' | 'publisher'> & { parts: OverviewParts }) | null;
  /** The state of the hub, or what is shown without one. */
  readonly state: () => AppStatePush;
  readonly inWords: () => StateInWords;
  readonly versions: ShownAbout['versions'];
  readonly runChecks: () => Promise<readonly ShownCheck[]>;
  /** null: this build cannot. */
  readonly exportDiagnostics: (() => Promise<ExportOutcome>) | null;
  /** Shows a folder, or the folder with a file marked in it, to the agent. */
  readonly openPath: (path: string, kind: 'folder' | 'file') => Promise<void>;
  readonly log: Logger;
}

export class Overview {
  private rev = 0;
  private recordings: readonly ShownRecording[] = [];
  private checks: ShownChecks = { status: 'never' };
  private checking: Promise<readonly ShownCheck[]> | null = null;
  private monitors: ShownMonitors = { status: 'unknown' };
  private recent: RecentRecordings | null = null;
  private readonly watchers = new Set<(state: ShownState) => void>();
  private endWork: () => void = () => undefined;
  private telling = false;
  private listensToDisplays = false;

  constructor(private readonly options: OverviewOptions) {}

  /** What a window may ask. */
  readonly handlers: Handlers = {
    'state.get': () => this.shown(),
    'recordings.retry': (recordingId) => {
      const tried = this.options.services?.publisher.retryNow([recordingId]) ?? [];
      return tried.length > 0;
    },
    'recordings.openFolder': (recordingId) => this.openFolder(recordingId),
    'checks.run': () => this.runChecks(),
    'diagnostics.export': () => this.exportDiagnostics(),
  };

  shown(): ShownState {
    const { services, state, inWords, versions, exportDiagnostics } = this.options;
    const push = state();
    const parts = services?.parts ?? null;
    const now = parts?.clock.now() ?? Date.now();
    const contacts = services?.session.current.contacts ?? [];
    const found = parts?.finder.current ?? null;
    const uploads = services?.publisher.queue.map(shownUpload) ?? [];
    const resting = new Set(uploads.flatMap((one) => (one.state === 'resting' ? [one.recordingId] : [])));
    return {
      rev: this.rev,
      now,
      state: push.state,
      inWords: inWords(),
      contacts: push.contacts.map((open) =>
        shownContact(
          open,
          contacts.find((contact) => contact.recordingId === open.recordingId),
          parts?.currentSession.sessionOf(open.recordingId)?.ledger,
          now,
        ),
      ),
      uploads,
      // What is open is among the contacts.
      recordings: this.recordings
        .filter(({ recordingId }) => !push.contacts.some((open) => open.recordingId === recordingId))
        .map((one) => ({ ...one, canRetry: resting.has(one.recordingId) })),
      checks: this.checks,
      screen: {
        monitors: this.monitors,
        encoder:
          found === null
            ? null
            : {
                name: found.encoder,
                ffmpegVersion: found.binary.version,
                ffmpegPath: found.binary.path,
                warning: found.warning,
              },
        fps: parts?.policy.fps ?? null,
      },
      about: {
        versions,
        port: services?.port ?? null,
        canExportDiagnostics: exportDiagnostics !== null,
        sinkIsFolder: parts?.policy.sink === 'folder',
      },
    };
  }

  /** Told of every change from now on, several at once as one. @returns the way to end it */
  watch(watcher: (state: ShownState) => void): () => void {
    this.watchers.add(watcher);
    if (this.watchers.size === 1) this.endWork = this.beginWork();
    return () => {
      if (this.watchers.delete(watcher) && this.watchers.size === 0) this.endWork();
    };
  }

  private beginWork(): () => void {
    const { services } = this.options;
    this.changed();
    if (services === null) return () => undefined;
    const { hub, publisher, parts } = services;
    const changed = (): void => this.changed();
    const ends = [
      hub.subscribe((news) => {
        if (news.type === 'recording.status') void this.readRecordings();
        this.changed();
      }),
      publisher.watch(changed),
      parts.currentSession.watch(changed),
    ];
    if (!this.listensToDisplays) {
      this.listensToDisplays = true;
      // There is no way to end this one: without a watcher it does nothing.
      parts.displays.onChange(() => {
        if (this.watchers.size > 0) void this.readMonitors();
      });
    }
    void this.readRecordings();
    void this.readMonitors();
    void parts.finder.find().then(changed, () => undefined);
    return () => ends.forEach((end) => end());
  }

  /** What happens in one turn is told once. */
  private changed(): void {
    this.rev += 1;
    if (this.telling || this.watchers.size === 0) return;
    this.telling = true;
    setImmediate(() => {
      this.telling = false;
      if (this.watchers.size === 0) return;
      const shown = this.shown();
      for (const watcher of this.watchers) watcher(shown);
    });
  }

  private async readRecordings(): Promise<void> {
    const { services, log } = this.options;
    if (services === null) return;
    try {
      const file = services.parts.policy.statusEventsFile;
      if (this.recent?.statusEventsFile !== file) this.recent = new RecentRecordings(file);
      this.recordings = await this.recent.read();
      this.changed();
    } catch (error) {
      log.warn('the status events cannot be read', { reason: String(error) });
    }
  }

  private async readMonitors(): Promise<void> {
    const { services } = this.options;
    if (services === null) return;
    try {
      this.monitors = shownMonitors(await services.parts.displays.current(null));
    } catch (error) {
      this.monitors = { status: 'unreachable', message: messageOf(error) };
    }
    this.changed();
  }

  private runChecks(): Promise<readonly ShownCheck[]> {
    this.checking ??= this.checkNow().finally(() => (this.checking = null));
    return this.checking;
  }

  private async checkNow(): Promise<readonly ShownCheck[]> {
    this.checks = { status: 'running' };
    this.changed();
    try {
      const results = await this.options.runChecks();
      this.checks = { status: 'done', at: this.options.services?.parts.clock.now() ?? Date.now(), results };
      return results;
    } catch (error) {
      this.checks = { status: 'impossible', message: messageOf(error) };
      return [];
    } finally {
      this.changed();
    }
  }

  private async exportDiagnostics(): Promise<ExportOutcome> {
    try {
      return (await this.options.exportDiagnostics?.()) ?? { status: 'cancelled' };
    } catch (error) {
      return { status: 'failed', message: messageOf(error) };
    }
  }

  /** A window names a recording, never a path; and nothing outside the sink's folder is opened. */
  private async openFolder(recordingId: string | null): Promise<boolean> {
    const { services, openPath } = this.options;
    if (services?.parts.policy.sink !== 'folder') return false;
    const { sinkFolder } = services.parts.policy;
    if (recordingId === null) {
      await openPath(sinkFolder, 'folder');
      return true;
    }
    const location = this.recordings.find((one) => one.recordingId === recordingId)?.location ?? null;
    if (location?.startsWith('file:') !== true) return false;
    const file = fileURLToPath(location);
    const within = relative(sinkFolder, file);
    if (within === '' || within.startsWith('..') || isAbsolute(within)) return false;
    await openPath(file, 'file');
    return true;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
