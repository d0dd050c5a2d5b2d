// Listeners of one kind of event. One that throws does not keep the others from being called.

import type { Unsubscribe } from './contract.ts';

export class Listeners<Values extends readonly unknown[] = []> {
  private readonly all = new Set<(...values: Values) => void>();

  add(listener: (...values: Values) => void): Unsubscribe {
    // The same function may be added twice.
    const own = (...values: Values): void => listener(...values);
    this.all.add(own);
    return () => void this.all.delete(own);
  }

  call(...values: Values): void {
    for (const listener of [...this.all]) {
      try {
        listener(...values);
      } catch (error) {
        reportError(error);
      }
    }
  }

  clear(): void {
    this.all.clear();
  }
}
