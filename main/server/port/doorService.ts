// The door as a program of the system, without a recorder: no user of the host can come first, take its place, or read what it
// hands over (policy "sharedPort").

import { createServer } from 'node:http';
import type { Logger } from '../../platform/log.ts';
import { limitRepeats } from '../../platform/repeats.ts';
import { Connections, answer, refuseUpgrade } from '../connections.ts';
import { PEER_REFUSED_BODY, Peers, systemPeers } from '../peer.ts';
import { Door } from './door.ts';
import { isDoorPath, UPGRADE_REQUIRED } from './doorProtocol.ts';
import { explainListenError, type DescribePortOwner } from './listenError.ts';

/** @throws SightlineError CLIENT_CONNECTION_ERROR when the port cannot be opened */
export async function serveDoor(
  port: number,
  describePortOwner: DescribePortOwner,
  log: Logger,
): Promise<Door> {
  const refusals = limitRepeats(log, 1);
  const connections = new Connections(refusals);
  const json = { 'Content-Type': 'application/json' };
  // Whoever is not handed over has no Sightline.
  const http = createServer((request, response) => {
    response.shouldKeepAlive = false;
    answer(response, isDoorPath(request.url) ? UPGRADE_REQUIRED : 403, PEER_REFUSED_BODY, json);
  });
  try {
    const door = await Door.open({
      ...{ port, connections, log, refusals, peers: new Peers(systemPeers(), refusals) },
      onConnection: (socket) => http.emit('connection', socket),
    });
    http.on('upgrade', (request, socket, head) => {
      if (isDoorPath(request.url)) void door.upgrade(request, socket, head);
      else refuseUpgrade(socket, '403 Forbidden', PEER_REFUSED_BODY);
    });
    return door;
  } catch (error) {
    throw await explainListenError(error, port, describePortOwner);
  }
}
