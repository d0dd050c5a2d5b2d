import type { PowerMonitor } from 'electron';
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { PowerMonitorSource, AbsenceReason } from '../../../main/platform/sessionWatch.ts';
import { powerMonitorWatch } from '../../../main/platform/sessionWatch.ts';
import { keepingLogger } from '../support/logs.ts';

/** That Electron's own fits is checked by the compiler. */
export const electronFits = (monitor: PowerMonitor): PowerMonitorSource => monitor;

class Monitor extends EventEmitter {
  constructor(private readonly idleState = 'active') {
    super();
  }

  getSystemIdleState(): string {
    return this.idleState;
  }
}

async function watched(monitor: Monitor) {
  const told: (readonly AbsenceReason[])[] = [];
  const watch = await powerMonitorWatch(monitor)({
    onChange: (absences) => told.push(absences),
    log: keepingLogger().log,
  });
  return { told, watch };
}

describe("Electron's powerMonitor", () => {
  it.each([
    ['lock-screen', 'unlock-screen', 'locked'],
    ['suspend', 'resume', 'asleep'],
    ['user-did-resign-active', 'user-did-become-active', 'switched-away'],
  ])('tells %s and %s as "%s"', async (begin, end, reason) => {
    const monitor = new Monitor();
    const { told } = await watched(monitor);
    monitor.emit(begin);
    monitor.emit(begin);
    monitor.emit(end);
    expect(told).toEqual([[reason], []]);
  });

  it('tells at once of a screen that is locked at the start', async () => {
    const monitor = new Monitor('locked');
    const { told } = await watched(monitor);
    expect(told).toEqual([['locked']]);
    monitor.emit('unlock-screen');
    expect(told).toEqual([['locked'], []]);
  });

  it('says nothing at the start of a session that is in use or idle', async () => {
    expect((await watched(new Monitor('active'))).told).toEqual([]);
    expect((await watched(new Monitor('idle'))).told).toEqual([]);
    expect((await watched(new Monitor('unknown'))).told).toEqual([]);
  });

  it('stays locked on waking, until the user unlocks', async () => {
    const monitor = new Monitor();
    const { told } = await watched(monitor);
    for (const event of ['suspend', 'lock-screen', 'resume', 'unlock-screen']) monitor.emit(event);
    expect(told).toEqual([['asleep'], ['locked', 'asleep'], ['locked'], []]);
  });

  it('takes an unlocked screen for an awake machine when resume was lost', async () => {
    const monitor = new Monitor();
    const { told } = await watched(monitor);
    for (const event of ['lock-screen', 'suspend', 'unlock-screen']) monitor.emit(event);
    expect(told.at(-1)).toEqual([]);
  });

  it('tells nothing after stop, and leaves no listener behind', async () => {
    const monitor = new Monitor();
    const { told, watch } = await watched(monitor);
    await watch.stop();
    monitor.emit('lock-screen');
    expect(told).toEqual([]);
    expect(monitor.eventNames()).toEqual([]);
  });
});
