// The state of the status window: gathers what the services have into one state with a revision, and answers what the
// window requests. Works only while a window is open.

import { relative, isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../platform/log.ts';
import type { Publisher } from '../publisher/publisher.ts';
import type { SessionState } from '../session/state.ts';
import { errorMessage } from '../shared/errors.ts';
import type { ExportOutcome, Requests, ShownState } from '../shared/ipc.ts';
import type {
  ContactName,
  ShownAbout,
  ShownCheck,
  ShownChecks,
  ShownMonitors,
  ShownRecording,
} from '../shared/overview.ts';
import type { AppStatePush } from '../shared/protocol.ts';
import type { Ledger } from '../spool/ledger.ts';
import type { StatusHub } from '../status/hub.ts';
import type { Handlers } from '../windows/requests.ts';
import { RecentRecordings, nameIn, shownContact, shownMonitors, shownUpload } from './model.ts';
import type { OverviewParts } from './parts.ts';

export interface OverviewOptions {
  /** null: they could not be started. */
  readonly services: {
    readonly hub: StatusHub;
    readonly port: number;
    readonly session: { readonly current: Pick<SessionState, 'contacts' | 'agentSuspension'> };
    readonly publisher: Pick<Publisher, 'queue' | 'watch' | 'retryNow'>;
    readonly parts: OverviewParts;
  } | null;
  /** The hub's state, or what is shown without one. */
  readonly state: () => AppStatePush;
  readonly shown: () => Pick<ShownState, 'text' | 'since' | 'agent'>;
  readonly versions: ShownAbout['versions'];
  readonly suspend: Requests['capture.suspend'];
  readonly runChecks: () => Promise<readonly ShownCheck[]>;
  readonly exportDiagnostics: () => Promise<ExportOutcome>;
  /** Shows a folder, or the folder with a file selected in it, to the agent. */
  readonly openPath: (path: string, kind: 'folder' | 'file') => Promise<void>;
  readonly log: Logger;
}

/** More than the window lists. */
const NAMES_REMEMBERED = 100;

export class Overview {
  private rev = 0;
  private recordings: readonly ShownRecording[] = [];
  private checks: ShownChecks = { status: 'never' };
  private checking: Promise<readonly ShownCheck[]> | null = null;
  private monitors: ShownMonitors = { status: 'unknown' };
  private recent: RecentRecordings | null = null;
  private readonly watchers = new Set<(state: ShownState) => void>();
  /** Of recordings whose journal may be gone by now. */
  private readonly names = new Map<string, ContactName>();
  private endWork: () => void = () => undefined;
  private isPushing = false;
  private listensToDisplays = false;

  constructor(private readonly options: OverviewOptions) {
    options.services?.hub.subscribe((push) => {
      if (push.type === 'recording.status') this.nameOf(recordingOf(push.event.detail.eventDeduplicationId));
    });
  }

  readonly handlers: Handlers<Requests> = {
    'state.get': () => this.shown(),
    'capture.suspend': (suspended) => this.options.suspend(suspended),
    'recordings.retry': (recordingId) => {
      const tried = this.options.services?.publisher.retryNow([recordingId]) ?? [];
      return tried.length > 0;
    },
    'recordings.openFolder': (recordingId) => this.openFolder(recordingId),
    'checks.run': () => this.runChecks(),
    'diagnostics.export': () => this.exportDiagnostics(),
  };

  shown(): ShownState {
    const { services, state, shown, versions } = this.options;
    const push = state();
    const parts = services?.parts ?? null;
    const now = parts?.clock.now() ?? Date.now();
    const session = services?.session.current ?? { contacts: [], agentSuspension: null };
    const since = services?.hub.stateSince ?? now;
    const found = parts?.finder.current ?? null;
    const uploads =
      services?.publisher.queue.map((one) => shownUpload(one, this.nameOf(one.recordingId))) ?? [];
    const resting = new Set(uploads.flatMap((one) => (one.state === 'resting' ? [one.recordingId] : [])));
    return {
      rev: this.rev,
      now,
      state: push.state,
      ...shown(),
      contacts: push.contacts.map((open) =>
        shownContact(open, session, this.ledgerOf(open.recordingId), now, since),
      ),
      uploads,
      // What is open is among the contacts.
      recordings: this.recordings
        .filter(({ recordingId }) => !push.contacts.some((open) => open.recordingId === recordingId))
        .map((one) => ({
          ...one,
          name: this.nameOf(one.recordingId) ?? one.name,
          canRetry: resting.has(one.recordingId),
        })),
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
      about: { versions, port: services?.port ?? null, sinkIsFolder: parts?.policy.sink === 'folder' },
    };
  }

  private ledgerOf(recordingId: string): Ledger | undefined {
    return this.options.services?.parts.currentSession.sessionOf(recordingId)?.ledger;
  }

  private nameOf(recordingId: string): ContactName | null {
    const name = nameIn(this.ledgerOf(recordingId), recordingId) ?? this.names.get(recordingId) ?? null;
    if (name !== null) this.names.set(recordingId, name);
    const [oldest] = this.names.keys();
    if (this.names.size > NAMES_REMEMBERED && oldest !== undefined) this.names.delete(oldest);
    return name;
  }

  /** Calls back on every change from now on, on several at once one time. @returns unsubscribes */
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
      // It cannot be unsubscribed: without a watcher it does nothing.
      parts.displays.onChange(() => {
        if (this.watchers.size > 0) void this.readMonitors();
      });
    }
    void this.readRecordings();
    void this.readMonitors();
    void parts.finder.find().then(changed, () => undefined);
    return () => ends.forEach((end) => end());
  }

  /** All changes of one turn of the event loop are one push. */
  private changed(): void {
    this.rev += 1;
    if (this.isPushing || this.watchers.size === 0) return;
    this.isPushing = true;
    setImmediate(() => {
      this.isPushing = false;
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
      this.monitors = { status: 'unreachable', message: errorMessage(error) };
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
      this.checks = { status: 'impossible', message: errorMessage(error) };
      return [];
    } finally {
      this.changed();
    }
  }

  private async exportDiagnostics(): Promise<ExportOutcome> {
    try {
      return await this.options.exportDiagnostics();
    } catch (error) {
      return { status: 'failed', message: errorMessage(error) };
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

function recordingOf(eventDeduplicationId: string): string {
  return eventDeduplicationId.split(':', 1)[0] ?? '';
}
