// Whether the port that pages use is free, and whose it is when it is not: this Sightline's, another one's, AWS's own
// client's or another program's.

import type { Check, Finding } from '../check.ts';
import { failed, ok } from '../check.ts';

export interface PortHolder {
  /** The version of the Sightline that answers there; null when none does. */
  readonly sightline: string | null;
  /** Whether it is the Sightline of this data folder. */
  readonly isOurs: boolean;
  /** Such as `process 1234 (chromium)`; null when this user may not know. */
  readonly process: string | null;
  /** Another program on the same port of [::1], in such words; null when there is none. */
  readonly beside: string | null;
}

export interface PortSubject {
  readonly port: number;
  /** null: free. */
  readonly holder: () => Promise<PortHolder | null>;
}

/** Recorders that agents may have as well, by what their programs are called. */
const vendors: readonly (readonly [RegExp, string])[] = [
  [/amazon|awsconnect/i, 'the Amazon Connect Client Application'],
  [/\bnice|incontact/i, "a client of NICE's"],
  [/verint/i, "a client of Verint's"],
  [/genesys/i, "a client of Genesys'"],
  [/talkdesk/i, "a client of Talkdesk's"],
  [/calabrio/i, "a client of Calabrio's"],
];

export function portCheck({ port, holder }: PortSubject): Check {
  return {
    name: 'port',
    run: async () => {
      if (port === 0) return ok('any free port is taken: the page must be told which');
      const found = await holder();
      return found === null ? ok(`port ${port} is free`) : taken(port, found);
    },
  };
}

function taken(port: number, { sightline, isOurs, process, beside }: PortHolder): Finding {
  const by = process ?? 'a program that this user may not see';
  if (isOurs && beside !== null) {
    return failed(
      `port ${port} of 127.0.0.1 is held by this Sightline (${by}), but port ${port} of [::1] by ${beside}`,
      'End that program and start Sightline again: a page that connects to "localhost" may reach it instead of Sightline. Until then the page must connect to 127.0.0.1.',
    );
  }
  if (isOurs) return ok(`port ${port} is held by this Sightline (${by})`);
  if (sightline !== null) {
    return failed(
      `port ${port} is held by another Sightline, version ${sightline} (${by})`,
      'Quit the other Sightline. If another user of this computer runs it, IT gives each user a "port" and a "dataDir" of their own in Sightline\'s policy.',
    );
  }
  const vendor = vendors.find(([name]) => process !== null && name.test(process))?.[1];
  if (vendor !== undefined) {
    return failed(
      `port ${port} is held by ${vendor} (${by})`,
      'Remove that program: it may record this screen, too. To keep both, IT sets another "port" in Sightline\'s policy and in the page.',
    );
  }
  return failed(
    `port ${port} is held by ${by}`,
    `End that program${port === 5431 ? ' (the Amazon Connect Client Application uses 5431, too)' : ''} and start Sightline again, or IT sets another "port" in Sightline's policy and in the page.`,
  );
}
