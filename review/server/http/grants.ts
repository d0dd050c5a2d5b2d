// What somebody may do: roles, each for a part of the library. A role for one part never counts for another one.

import { roles, type Role } from '../../contract.ts';
import type { Scope } from '../library/ports.ts';

export interface Grant {
  readonly role: Role;
  /** Beginnings of names; `['']` is everything. */
  readonly prefixes: Scope;
}

export type Grants = readonly Grant[];

const rank = (role: Role): number => roles.indexOf(role);

/** The highest of all parts; null: none at all. */
export function highestRole(grants: Grants): Role | null {
  return grants.reduce<Role | null>(
    (highest, { role }) => (highest === null || rank(role) > rank(highest) ? role : highest),
    null,
  );
}

/** Where somebody has this role or a higher one; empty: nowhere. */
export function scopeOf(grants: Grants, least: Role): Scope {
  const prefixes = grants.filter(({ role }) => rank(role) >= rank(least)).flatMap((grant) => grant.prefixes);
  return prefixes.includes('') ? [''] : [...new Set(prefixes)];
}
