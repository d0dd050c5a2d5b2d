// The composition root: builds every service and hands each its ports. Nothing decides anything here; what looks like
// logic is only the order in which one service's news reaches the next.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Capture } from '../capture/capture.ts';
import type { MonitorSource } from '../capture/displays.ts';
import { displaysOf } from '../capture/displays.ts';
import { FfmpegFinder } from '../capture/ffmpegBinary.ts';
import { EXPOSED } from '../capture/sharedFrames.ts';
import { Slates } from '../capture/slates.ts';
import { ffmpegSpawner } from '../capture/spawnFfmpeg.ts';
import { startUploads } from '../publisher/uploadService.ts';
import { SystemClock } from '../platform/clock.ts';
import { lockDataFolder } from '../platform/instanceLock.ts';
import type { KeyStore } from '../platform/keyStore.ts';
import { keyFileStore } from '../platform/keyStore.ts';
import type { Logger } from '../platform/log.ts';
import { makePrivate } from '../platform/privateFiles.ts';
import type { SessionWatch, StartSessionWatch } from '../platform/sessionWatch.ts';
import { appVersion, osName } from '../platform/version.ts';
import type { OverviewParts } from '../statusWindow/parts.ts';
import type { PolicyChanges } from './currentSettings.ts';
import { currentSettings, followPolicy } from './currentSettings.ts';
import type { Policy } from '../policy/keys.ts';
import type { Publisher } from '../publisher/publisher.ts';
import { describePortOwner } from '../diagnostics/portOwner.ts';
import { authenticationOf } from '../server/authentication.ts';
import { explainListenError } from '../server/listenError.ts';
import { recorderInfo } from '../server/recorderInfo.ts';
import { startServer, type RunningServer } from '../server/server.ts';
import { Pauses } from '../session/pauses.ts';
import { Readiness } from '../session/readiness.ts';
import { Session } from '../session/service.ts';
import type { SessionState } from '../session/state.ts';
import { isQuiet, shownState } from '../session/view.ts';
import type { RecorderInfo } from '../shared/protocol.ts';
import type { Monitor } from '../shared/names.ts';
import { toTimestamp } from '../shared/time.ts';
import { CurrentSpoolSession } from '../spool/currentSession.ts';
import { spoolError } from '../spool/journal.ts';
import { SpoolQuota } from '../spool/quota.ts';
import { recover } from '../spool/recovery.ts';
import { RUN_FILE_EXTENSION } from '../spool/runFiles.ts';
import { hasSealed, sessionKeys } from '../spool/sessionKeys.ts';
import { spoolOf } from './spoolOf.ts';
import { stopServices } from './stopServices.ts';
import { SuspendedMemory } from '../spool/suspendedMemory.ts';
import { UnreadableFolders } from '../spool/unreadableFolders.ts';
import { Announcer } from '../status/announcer.ts';
import { StatusHub } from '../status/hub.ts';
import { openEventBridge, type OpenEventBridge } from '../status/startEventBridge.ts';
import { StatusEvents } from '../status/statusEvents.ts';

export interface ServicesOptions {
  /** Each value is read when it is needed: policy may change. */
  readonly policy: Policy;
  /** Who tells of its changes, and is told when they disturb nobody. */
  readonly policyChanges?: PolicyChanges;
  readonly resourcesFolder: string;
  readonly log: Logger;
  /** Who knows the monitors where ffmpeg's grabber and the X server do not; Electron does. */
  readonly monitorSource?: MonitorSource;
  /** Guards the spool's keys; a key file of ours does where the platform has nothing better. */
  readonly keyStore?: KeyStore;
  /** Who tells that the agent is away from the screen; nobody unless given. */
  readonly watchSession?: StartSessionWatch;
  readonly onMonitors?: (recorded: readonly Monitor[]) => void;
}

export interface Services {
  readonly port: number;
  readonly parts: OverviewParts;
  readonly hub: StatusHub;
  /** null: policy names no bus. */
  readonly eventBridge: OpenEventBridge | null;
  readonly session: Session;
  readonly publisher: Publisher;
  /** What the reply to `hello` says about this recorder; runs ffmpeg when no encoder is known yet. */
  describe(): Promise<RecorderInfo>;
  /** Completes what is open, publishes what it can within the time given, and ends. What is left is found again. */
  stop(withinMs: number): Promise<void>;
}

/** @throws SightlineError when the data folder or the port cannot be had */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { policy, policyChanges, resourcesFolder, log, monitorSource = null, watchSession } = options;
  const authentication = authenticationOf(policy, log);
  const spoolFolder = join(policy.dataDir, 'spool');
  const suspendedFolder = join(policy.dataDir, 'suspended');
  const keyFile = keyFileStore(join(policy.dataDir, 'spool.key'), () =>
    hasSealed([spoolFolder, suspendedFolder]),
  );
  const keyStores = options.keyStore ? ([options.keyStore, keyFile] as const) : ([keyFile] as const);
  const keys = sessionKeys(keyStores);
  const [{ warning }] = keyStores;
  if (warning !== null) log.warn(warning);
  const unlock = lockDataFolder(policy.dataDir);
  await makePrivate(policy.dataDir, log);
  const clock = new SystemClock();
  const newId = (): string => randomUUID();
  const spawn = ffmpegSpawner(log);
  const current = currentSettings(policy);
  const finder = new FfmpegFinder(current.ffmpegSearch(resourcesFolder));
  const displays = displaysOf(current.displays(monitorSource));
  const slates = new Slates({ finder, spawn, resourcesFolder });
  const hub = new StatusHub((error) => log.error('a listener failed', { reason: String(error) }));
  let monitors = 0;
  let whenQuiet = (): void => undefined;

  let eventBridge = openEventBridge(policy, { clock, log });
  const statusEvents = new StatusEvents(
    current.statusEvents(
      {
        hub,
        clock,
        newEventId: newId,
        clientInfo: () => ({
          appVersion,
          os: osName(),
          monitors: monitors > 0 ? monitors : undefined,
          encoder: finder.current?.encoder,
        }),
        log,
      },
      () => eventBridge,
    ),
  );

  const announcer = new Announcer(statusEvents, log);
  const unreadable = new UnreadableFolders({
    dataDir: policy.dataDir,
    announceFailed: (failures) => announcer.announceUnreadable(policy.statusEventsFile, failures),
    log,
  });

  const memory = new SuspendedMemory({
    folder: suspendedFolder,
    keys,
    now: () => clock.now(),
    log,
  });
  const spool = spoolOf({
    policy,
    keys,
    clock,
    log,
    encoder: () => finder.current?.encoder,
    quota: (options) => new SpoolQuota(current.quota(options)),
    keepJournal: (left) => memory.keep(left),
    onRecovered: (session) => announcer.announceRecovered(session),
    onUnreadable: (folder, error, recordings) => unreadable.add(folder, error, recordings),
  });
  const currentSession = new CurrentSpoolSession(spool);

  const uploads = startUploads({
    policy,
    makeSlate: (order) => slates.make(order),
    blankFormat: async () => {
      const [{ encoder }, layout] = await Promise.all([
        finder.find(),
        displays.current(null).catch(() => null),
      ]);
      const canvas = layout?.picture.kind === 'composed' ? layout.picture.fit.canvas : null;
      return { ...(canvas ?? { width: 1280, height: 720 }), fps: policy.fps, encoder };
    },
    announcePublished: (from, recordingId, { receipt, manifest }) =>
      announcer.announce(from, recordingId, {
        status: 'PUBLISHED',
        startTime: Date.parse(manifest.startTime),
        endTime: Date.parse(manifest.endTime),
        location: receipt.location,
        sizeBytes: receipt.sizeBytes,
        integrity: manifest.integrity?.state,
      }),
    retryEvents: () => statusEvents.retryNow(),
    onPublished: (recordingId, { receipt }) => {
      currentSession.forget(recordingId);
      log.info('published', { recordingId, location: receipt.location, sizeBytes: receipt.sizeBytes });
    },
    onFailed: (from, recordingId, why) =>
      announcer.announce(from, recordingId, {
        status: 'FAILED',
        startTime: from.ledger.recordings.get(recordingId)?.startTime ?? clock.now(),
        failure: why,
      }).durable,
    onChange: (uploads) => hub.update({ uploads: unreadable.addTo(uploads) }),
    clock,
    log,
  });
  const { publisher } = uploads;

  const capture = new Capture(
    current.capture({
      finder,
      displays,
      spawn,
      clock,
      ports: {
        openRun: async (run) => {
          monitors = Math.max(1, run.monitors.length);
          options.onMonitors?.(run.monitors);
          const file = `${run.runId}.${RUN_FILE_EXTENSION}`;
          const lists = { monitors: [...run.monitors], leftOut: [...run.leftOut] };
          const writer = await currentSession.openRun({
            type: 'run.opened',
            at: clock.now(),
            file,
            ...run,
            ...lists,
          });
          const to = currentSession.session();
          return {
            append: async (bytes) => {
              await writer.append(bytes);
              uploads.grew(to, bytes.byteLength);
            },
            close: () => writer.close(),
          };
        },
        onSpawned: (runId, pid) => void currentSession.append({ type: 'run.spawned', runId, pid }),
        // The journal first: a contact is not recorded as long as a crash would leave no trace of it.
        onLive: (runId, { firstFrameAt, width, height }) =>
          void currentSession
            .append({ type: 'run.live', runId, startTime: firstFrameAt, width, height })
            .then(() => session.dispatch({ type: 'run.live', runId, firstFrameAt })),
        onFlushed: (runId, until) => session.dispatch({ type: 'run.flushed', runId, until }),
        onEnded: (runId, end) => {
          const { endTime, frames, sizeBytes, gapReason, permanent } = end;
          if (end.fault !== null)
            log.warn('capture failed', { runId, code: end.fault.code, reason: end.fault.message });
          const fault = end.clockWasSet ? null : end.fault;
          const at = clock.now();
          // The journal first: a suspend must not be acknowledged before the run's end is known after a crash, too.
          void currentSession.append({ type: 'run.closed', runId, endTime, frames, sizeBytes, gapReason });
          void currentSession
            .guard()
            .catch(() => undefined) // a suspend that waits for this asks for a guard of its own
            .then(() => session.dispatch({ type: 'run.ended', runId, fault, permanent, at }));
        },
        onExposed: (ffmpegPath) => log.warn(EXPOSED, { ffmpegPath }),
        onDisplaysChanged: (change) => pauses.displaysChanged(change),
      },
    }),
  );

  const session: Session = new Session(
    {
      clock,
      capture,
      journal: async (record) => {
        await currentSession.append(record);
        void memory.onEntry(record, (recordingId) => currentSession.sessionOf(recordingId)?.ledger);
      },
      guard: () => currentSession.guard(),
      announce: (effect) => void announcer.announceDecision(effect, currentSession),
      pushResumed: ({ type: _, resumedAt, ...rest }) => {
        log.info('a suspension ended without a request', { contactId: rest.contactId, cause: rest.cause });
        hub.pushResumed({ ...rest, resumedAt: toTimestamp(resumedAt) });
      },
      publish: (recordingId) => {
        const from = currentSession.sessionOf(recordingId);
        if (from !== undefined) publisher.enqueue(from, recordingId);
      },
      onState: (state) => {
        showState(state);
        uploads.contactsAreOn(!isQuiet(state));
        if (isQuiet(state)) endSession();
        policyChanges?.contactsAreOn(!isQuiet(state));
        if (isQuiet(state)) whenQuiet();
      },
      newId,
    },
    current.session(newId),
  );

  const pauses = new Pauses({ policy, dispatch: (event) => session.dispatch(event), clock, log });

  const onChange = (): void => showState(session.current);
  const readiness = new Readiness({
    findEncoder: () => finder.find(),
    createKey: () =>
      keys.create().catch((error: unknown) => {
        throw spoolError(error, spoolFolder);
      }),
    log,
    onChange,
  });

  function showState(state: SessionState): void {
    hub.update(shownState(state, readiness.problem));
  }

  /** Nothing is recorded any more: the next contact gets a spool folder, a canvas and a clock anchor of its own. */
  function endSession(): void {
    capture.forgetCanvas();
    clock.reanchor();
    currentSession
      .end(session.written.then(() => announcer.idle()))
      .catch((error: unknown) => log.warn('the spool could not be tidied', { reason: String(error) }));
  }

  let recovered = (): void => undefined;
  const recovery = new Promise<void>((resolve) => (recovered = resolve));
  const describe = (): Promise<RecorderInfo> =>
    recorderInfo({
      ...{ policy, appVersion, recovery },
      findEncoder: async () => (await readiness.check())?.encoder ?? null,
    });

  let server: RunningServer;
  try {
    server = await startServer({
      port: policy.port,
      guard: policy,
      appVersion,
      page: {
        ...{ session, hub, describe, authentication },
        onToken: (arn, token) => uploads.tokenCame(arn, token),
      },
      control: { dataDir: policy.dataDir, publisher, recovery },
      log,
    });
  } catch (error) {
    unlock();
    throw await explainListenError(error, policy.port, describePortOwner);
  }

  const running = server;
  const closeUnallowedPages = (): void => running.disconnectUnallowed();
  whenQuiet = closeUnallowedPages;
  const endFollowing = followPolicy(policyChanges, {
    finder,
    lookForEncoder: () => void readiness.check(),
    uploads,
    statusEvents,
    reopenEventBridge: async () => {
      await eventBridge?.sender.stop();
      eventBridge = openEventBridge(policy, { clock, log });
      eventBridge?.sender.start();
    },
    showPauses: () => pauses.update(),
    closeUnallowedPages,
  });

  eventBridge?.sender.start();
  const chosen = await finder.find().catch(() => null); // `readiness` reports why
  if (chosen !== null) {
    const { binary, encoder, warning } = chosen;
    log.info('encoder', { encoder, ffmpeg: binary.path, version: binary.version, origin: binary.origin });
    if (warning !== null) log.warn(warning);
  }
  await recover({
    ...{ spool, current: currentSession, memory, unreadable, clock, publisher, capture, log },
    restore: (state) => session.dispatch({ type: 'restored', ...state }),
  }).catch((error: unknown) => log.error('the spool could not be recovered', { reason: String(error) }));
  hub.update({ uploads: unreadable.addTo(publisher.uploads) });
  // Not before: a new key would hide that the one of what is left is gone.
  await readiness.check();
  recovered();
  const sessionWatch: Promise<SessionWatch | null> = startSessionWatch().catch((error: unknown) => {
    log.warn('nobody tells when the screen is locked', { reason: String(error) });
    return null;
  });

  async function startSessionWatch(): Promise<SessionWatch | null> {
    if (watchSession === undefined) return null;
    return watchSession({
      onChange: (now) => {
        pauses.absencesChanged(now);
        // It is the time to look where nobody tells of a new policy.
        if (now.length === 0) void policyChanges?.look();
      },
      log,
    });
  }

  policyChanges?.contactsAreOn(!isQuiet(session.current));

  return {
    port: running.port,
    parts: { currentSession, displays, finder, clock, policy },
    hub,
    get eventBridge() {
      return eventBridge;
    },
    session,
    publisher,
    describe,
    stop: (withinMs) =>
      stopServices(
        {
          ...{ session, publisher, announcer, statusEvents, eventBridge, sessionWatch, displays },
          ...{ endFollowing, unlock, log, server: running },
        },
        withinMs,
      ),
  };
}
