// What the processes of the simulation say to each other.

/** To broker and store. `outage`: whether the store's S3 answers 503. */
export type Order = { readonly usage: true } | { readonly outage: boolean };

export interface Usage {
  /** User and system time since its start, in milliseconds. */
  readonly cpuMs: number;
  readonly rssMiB: number;
  /** Requests of each kind since its start; of the store only. */
  readonly counts: Readonly<Record<string, number>>;
}

export type Said = { readonly url: string; readonly authUrl?: string } | { readonly usage: Usage };

/** Answers orders until the simulation ends. */
export function serveOrders(
  counts: Readonly<Record<string, number>>,
  outage: (isOut: boolean) => void = () => undefined,
): void {
  process.on('message', (order: Order) => {
    if ('outage' in order) return outage(order.outage);
    const { user, system } = process.cpuUsage();
    const rssMiB = process.memoryUsage.rss() / 1024 ** 2;
    const usage: Usage = { cpuMs: (user + system) / 1000, rssMiB, counts: { ...counts } };
    process.send?.({ usage } satisfies Said);
  });
  process.on('disconnect', () => process.exit(0));
}
