// `sightline door`: opens the port for all users of the host, until SIGTERM. Meant for the system's own account (docs/vdi.md).

import { join } from 'node:path';
import type { Command } from 'commander';
import { describePortOwner } from '../diagnostics/portOwner.ts';
import { createLogger } from '../platform/log.ts';
import { serveDoor } from '../server/port/doorService.ts';
import { addPolicyOptions, policyFrom, print, type CommandOptions } from './options.ts';

export function addDoorCommand(program: Command): void {
  const command = program
    .command('door')
    .description(
      'on a host with several users: open the port and hand each user’s pages to that user’s Sightline',
    );
  addPolicyOptions(command).action(doorCommand);
}

async function doorCommand(options: CommandOptions): Promise<void> {
  const { values: policy } = await policyFrom(options);
  const log = createLogger({ folder: join(policy.dataDir, 'logs'), level: policy.logLevel, stderr: true });
  const door = await serveDoor(policy.port, describePortOwner, log);
  print(`ready ${JSON.stringify({ port: door.port, pid: process.pid })}`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      door.close();
      process.exit(0);
    });
}
