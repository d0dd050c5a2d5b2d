// Policy from its sources, highest first: machine policy, flags, environment, the user's settings, defaults. Where an
// administrator decides (the installed program, or any machine policy), flags and environment belong to the agent, like the
// settings file, and set only what a user may set. Each ignored value causes a warning. Each value has its source.

import { PolicyError } from '../shared/errors.ts';
import { attributeIn, placeholdersIn } from '../shared/placeholders.ts';
import { join } from 'node:path';
import type { z } from 'zod';
import { defaultDataFolder, systemDataFolder } from '../platform/paths.ts';
import type { KeyInfo } from './keyInfo.ts';
import type { Policy, PolicyKey } from './keys.ts';
import { flagOf, policyKeyNames, policyKeys, variableOf } from './keys.ts';

/** HKLM and HKCU: the policy keys of the registry; file: Linux's policy file. */
export type MachineSource = 'HKLM' | 'HKCU' | 'file';
export type Source = MachineSource | 'flag' | 'environment' | 'user' | 'default';

/** One place in which an administrator has set keys. */
export interface PolicyLayer {
  readonly source: MachineSource;
  /** For messages. */
  readonly place: string;
  /**
   * Whether values are as loosely typed as in the registry: numbers as texts, yes and no as 1 and 0, lists as one text.
   * A JSON file has types of its own, which are checked strictly.
   */
  readonly loose: boolean;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface PolicySources {
  /** Highest first. */
  readonly machine: readonly PolicyLayer[];
  /** Texts as they were typed; `true` for a flag without a value. */
  readonly flags: Readonly<Partial<Record<PolicyKey, string | boolean>>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The user's settings file; nothing in it can be an error. */
  readonly user?: Readonly<Record<string, unknown>>;
  /**
   * Whether an administrator decides although `machine` is empty: the installed program, or a machine policy that cannot
   * be read.
   */
  readonly managed?: boolean;
}

export interface LoadedPolicy {
  readonly values: Policy;
  readonly sources: Readonly<Record<PolicyKey, Source>>;
  /** What was ignored, and why. */
  readonly warnings: readonly string[];
  /** Whether an administrator decides. */
  readonly managed: boolean;
}

export { PolicyError };

type Choice = { readonly value: unknown; readonly source: Source };
type Given = Choice & { readonly place: string; readonly what: string };
type Lines = { readonly problems: string[]; readonly warnings: string[] };

/** @throws PolicyError */
export function loadPolicy(sources: PolicySources): LoadedPolicy {
  const { problems, ...loaded } = resolvePolicy(sources);
  if (problems.length > 0) throw new PolicyError(problems);
  return loaded;
}

/** Never throws: a key that is not valid has its default, and a problem that names it. */
export function resolvePolicy(
  sources: PolicySources,
): LoadedPolicy & { readonly problems: readonly string[] } {
  const managed = sources.managed === true || sources.machine.length > 0;
  const lines: Lines = { problems: [], warnings: unknownKeys(sources) };
  const values = {} as Record<PolicyKey, unknown>;
  const origin = {} as Record<PolicyKey, Source>;
  for (const name of policyKeyNames)
    ({ value: values[name], source: origin[name] } = choose(name, sources, managed, lines));
  values.dataDir ??= managed ? managedDataFolder(lines) : defaultDataFolder();
  values.sinkFolder ??= join(String(values.dataDir), 'recordings');
  values.statusEventsFile ??= join(String(values.dataDir), 'status-events.ndjson');
  for (const [name, choice, needs, remedy] of [
    ['sink', 's3', 's3Bucket', 'Name the bucket.'],
    ['heartbeat', 'url', 'heartbeatUrl', 'Set the address.'],
  ] as const) {
    if (values[name] !== choice || values[needs] !== null) continue;
    lines.problems.push(`Policy "${name}" is ${choice}, and "${needs}" is not set. ${remedy}`);
    values[name] = policyKeys[name].default;
    origin[name] = 'default';
  }
  for (const name of ['keyPrefix', 's3Tags'] as const) {
    const missing = unlistedAttribute(values as Policy, name);
    if (missing === undefined) continue;
    lines.problems.push(
      `Policy "${name}" contains the contact attribute "${missing}", and "attributesForKeys" does not. Add its name there.`,
    );
    values[name] = policyKeys[name].default;
    origin[name] = 'default';
  }
  return { values: values as Policy, sources: origin, managed, ...lines };
}

function unlistedAttribute(values: Policy, name: 'keyPrefix' | 's3Tags'): string | undefined {
  const used = [values[name]].flat().flatMap(placeholdersIn).map(attributeIn);
  return used.find((one) => one !== null && !values.attributesForKeys.includes(one)) ?? undefined;
}

function choose(
  name: PolicyKey,
  sources: PolicySources,
  managed: boolean,
  { problems, warnings }: Lines,
): Choice {
  const info: KeyInfo<unknown> = policyKeys[name];
  const layer = sources.machine.find(({ values }) => values[name] !== undefined);
  let given = givenValues(name, info, sources);
  if (layer !== undefined) {
    const place = `the machine policy (${layer.place})`;
    for (const { what } of given) warnings.push(`"${name}" is set by ${place}; ${what} is ignored.`);
    const value = layer.loose ? fromLoose(info, layer.values[name]) : layer.values[name];
    given = [{ value, source: layer.source, place, what: place }];
  }
  for (const { value, source, place, what } of given) {
    if (layer === undefined && info.userMaySet !== true && (managed || source === 'user')) {
      warnings.push(
        source === 'user'
          ? `"${name}" cannot be set in the user's settings, only by the machine policy, a flag or ${variableOf(name)}; it is ignored there.`
          : `"${name}" is set by the machine policy only (${whyManaged(sources)}); ${what} is ignored.`,
      );
      continue;
    }
    const parsed = parseValue(info, value);
    if ('value' in parsed) return { value: parsed.value, source };
    const problem = `Policy "${name}" from ${place} is not valid: ${parsed.problem}`;
    if (layer !== undefined || (!managed && source !== 'user')) {
      problems.push(problem);
      break;
    }
    // What the agent can set must not stop the recorder.
    warnings.push(`${problem}; it is ignored.`);
  }
  return { value: info.default, source: 'default' };
}

/** A key's values from the command line, the environment and the user's settings, highest first. */
function givenValues(
  name: PolicyKey,
  info: KeyInfo<unknown>,
  { flags, environment, user = {} }: PolicySources,
): Given[] {
  const flag = flags[name];
  const variable = variableOf(name);
  const text = environment[variable] ?? '';
  const given: Given[] = [
    {
      value: typeof flag === 'string' ? fromText(info, flag) : flag,
      source: 'flag',
      place: 'its flag',
      what: `the flag ${flagOf(name)}`,
    },
    {
      value: text === '' ? undefined : fromText(info, text),
      source: 'environment',
      place: variable,
      what: `the environment variable ${variable}`,
    },
    { value: user[name], source: 'user', place: "the user's settings", what: "the user's setting" },
  ];
  return given.filter(({ value }) => value !== undefined);
}

function whyManaged({ machine }: PolicySources): string {
  return machine.length > 0 ? 'this machine has one' : 'this Sightline is installed for the machine';
}

/** The data folder where policy names none and no variable may. */
function managedDataFolder({ warnings }: Lines): string {
  const folder = systemDataFolder();
  const asked = defaultDataFolder();
  if (asked !== folder)
    warnings.push(
      `"dataDir" is set by the machine policy only; the folder ${asked}, to which the environment leads, is ignored.`,
    );
  return folder;
}

/** A key's value, or what is wrong with it, for an administrator. */
function parseValue(
  info: KeyInfo<unknown>,
  value: unknown,
): { readonly value: unknown } | { readonly problem: string } {
  const parsed = info.schema.safeParse(value, { error: issueText });
  return parsed.success
    ? { value: parsed.data }
    : { problem: parsed.error.issues.map((issue) => issue.message).join('; ') };
}

/** Of issues for which the schema has no text of its own. */
function issueText(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeNames[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`;
    case 'too_big':
    case 'too_small': {
      const limit = issue.code === 'too_big' ? `at most ${issue.maximum}` : `at least ${issue.minimum}`;
      if (issue.origin === 'number') return `must be ${limit}`;
      return `must have ${limit} ${issue.origin === 'string' ? 'characters' : 'entries'}`;
    }
    default:
      return 'is not in the form that docs/policy.md describes';
  }
}

const typeNames: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
};

function unknownKeys({ machine, user = {} }: PolicySources): string[] {
  const places = [
    ...machine.map(({ place, values }) => ({ start: `The machine policy (${place}) has`, values })),
    { start: "The user's settings have", values: user },
  ];
  return places.flatMap(({ start, values }) =>
    Object.keys(values)
      .filter((name) => !Object.hasOwn(policyKeys, name))
      .map((name) => `${start} an unknown key "${name}"; it is ignored.`),
  );
}

/** Text that cannot be converted is passed on, so that the schema rejects it. */
function fromText(info: KeyInfo<unknown>, text: string): unknown {
  switch (info.form) {
    case 'text':
      return text;
    case 'integer':
      return /^-?\d+$/.test(text.trim()) ? Number(text) : text;
    case 'boolean':
      if (/^(true|1|yes|on)$/i.test(text.trim())) return true;
      return /^(false|0|no|off)$/i.test(text.trim()) ? false : text;
    case 'list':
      return text.trim() === '' ? [] : text.split(',');
  }
}

function fromLoose(info: KeyInfo<unknown>, value: unknown): unknown {
  if (typeof value === 'string') return fromText(info, value);
  if (info.form === 'boolean' && (value === 0 || value === 1)) return value === 1;
  return value;
}
