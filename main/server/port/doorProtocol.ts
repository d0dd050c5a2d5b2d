// What the Sightlines of one machine say to each other. The one that has the port is the door; the others are its guests
// and get the connections of their users from it. A guest opens every connection, and listens nowhere.

import { z } from 'zod';

/** Policy "sharedPort". `first`: the first Sightline opens the port; `system`: only a door of the system's own account. */
export type OpenedBy = 'first' | 'system';

/** A guest joins here (a websocket), and collects a connection under it (an upgrade). No page's path begins with it. */
export const DOOR_PATH = '/v1/sessions';
export const isDoorPath = (url = ''): boolean => /^\/v1\/sessions(?:\/|$)/.test(url);
/** The status of a request there without an upgrade: doctor recognises a door by it. */
export const UPGRADE_REQUIRED = 426;
export const COLLECT_PROTOCOL = 'sightline-connection';

const endpoint = z.object({ address: z.string().max(45), port: z.int().min(1).max(65535) });

/** The door's only message. */
export const offerSchema = z.object({
  type: z.literal('connection'),
  /** Says to the door which one is collected. Valid once, and for a few seconds. */
  id: z.string().regex(/^[\w-]{22}$/),
  /** As the program at its other end has it: the guest looks up for itself whose it is. */
  peer: z.object({ local: endpoint, remote: endpoint }),
});
export type Offer = z.infer<typeof offerSchema>;
export const MAX_OFFER_BYTES = 1024;

/** From the offer until the connection is collected, and for joining. */
export const HANDOVER_DEADLINE_MS = 5000;
/** Of one user at the same time; Sightline itself allows 32 pages. The next ones are closed. */
export const MAX_HANDED_OVER = 128;
