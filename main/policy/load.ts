// Policy from its sources, highest first: machine policy, flags, environment, defaults. What the machine's policy
// sets nobody else can change. Each value knows where it comes from.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errno } from '../shared/errors.ts';
import { defaultDataFolder } from '../platform/paths.ts';
import type { KeyInfo, Policy, PolicyKey } from './keys.ts';
import { policyKeyNames, policyKeys, variableOf } from './keys.ts';

export type Source = 'machine' | 'flag' | 'environment' | 'default';

export interface PolicySources {
  readonly machine: Readonly<Record<string, unknown>>;
  /** Texts as they were typed; `true` for a flag without a value. */
  readonly flags: Readonly<Partial<Record<PolicyKey, string | boolean>>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface LoadedPolicy {
  readonly values: Policy;
  readonly sources: Readonly<Record<PolicyKey, Source>>;
  /** Words for the user about what was ignored. */
  readonly warnings: readonly string[];
}

/** Names the key, where its value came from, and what is wrong with it. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}

export const MACHINE_POLICY_FILE = '/etc/sightline/policy.json';

/** The machine's policy: a JSON object of keys, writable only by an administrator. No file is no policy. */
export function readMachinePolicy(path = MACHINE_POLICY_FILE): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errno(error) === 'ENOENT') return {};
    throw new PolicyError(`The machine policy ${path} cannot be read: ${String(error)}`);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // told below, like any other text that is no object
  }
  throw new PolicyError(
    `The machine policy ${path} is not a JSON object. Mend it; Sightline does not start without.`,
  );
}

/** @throws PolicyError */
export function loadPolicy(sources: PolicySources): LoadedPolicy {
  const found = policyKeyNames.map((name) => [name, choose(name, sources)] as const);
  const values = Object.fromEntries(found.map(([name, { value }]) => [name, value])) as Record<
    PolicyKey,
    unknown
  >;
  const origin = Object.fromEntries(found.map(([name, { source }]) => [name, source])) as Record<
    PolicyKey,
    Source
  >;
  values.dataDir ??= defaultDataFolder();
  values.sinkFolder ??= join(String(values.dataDir), 'recordings');
  values.statusEventsFile ??= join(String(values.dataDir), 'status-events.ndjson');
  if (values.sink === 's3' && values.s3Bucket === null)
    throw new PolicyError('Policy "sink" is s3, and "s3Bucket" is not set. Name the bucket.');
  const warnings = Object.keys(sources.machine)
    .filter((name) => !(name in policyKeys))
    .map((name) => `The machine policy has an unknown key "${name}"; it is ignored.`);
  return { values: values as Policy, sources: origin, warnings };
}

function choose(name: PolicyKey, sources: PolicySources): { value: unknown; source: Source } {
  const info: KeyInfo<unknown> = policyKeys[name];
  const machine = sources.machine[name];
  if (machine !== undefined)
    return { value: check(name, info, machine, 'the machine policy'), source: 'machine' };
  const flag = sources.flags[name];
  if (flag !== undefined) {
    const value = check(name, info, typeof flag === 'string' ? fromText(info, flag) : flag, 'its flag');
    return { value, source: 'flag' };
  }
  const variable = sources.environment[variableOf(name)];
  if (variable !== undefined && variable !== '') {
    return { value: check(name, info, fromText(info, variable), variableOf(name)), source: 'environment' };
  }
  return { value: info.default, source: 'default' };
}

function check(name: PolicyKey, info: KeyInfo<unknown>, value: unknown, source: string): unknown {
  const parsed = info.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => issue.message).join('; ');
  throw new PolicyError(`Policy "${name}" from ${source} is not valid: ${problems}`);
}

/** A text as the schema wants it; what cannot be read is passed on for the schema to complain about. */
function fromText(info: KeyInfo<unknown>, text: string): unknown {
  switch (info.form) {
    case 'text':
      return text;
    case 'integer':
      return /^-?\d+$/.test(text.trim()) ? Number(text) : text;
    case 'boolean':
      return booleans[text.trim().toLowerCase()] ?? text;
    case 'list':
      return text.trim() === '' ? [] : text.split(',');
  }
}

const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  yes: true,
  on: true,
  false: false,
  '0': false,
  no: false,
  off: false,
};
