// What the generated files need to know of a policy key beyond its entry: the limits of its values, read off its schema.

import { z } from 'zod';
import type { KeyInfo } from '../main/policy/keyInfo.ts';
import type { PolicyKey } from '../main/policy/keys.ts';
import { policyKeyNames, policyKeys } from '../main/policy/keys.ts';

export interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly [word: string]: unknown;
}

export interface PolicyFact {
  readonly name: PolicyKey;
  readonly info: KeyInfo<unknown>;
  /** Of the value as an administrator writes it. */
  readonly schema: JsonSchema;
  /** In words, without markup. */
  readonly defaultText: string;
}

export const policyFacts: readonly PolicyFact[] = policyKeyNames.map((name) => {
  const info: KeyInfo<unknown> = policyKeys[name];
  const { $schema: _, ...schema } = z.toJSONSchema(info.schema, { io: 'input' });
  const defaultText = info.defaultText ?? (Array.isArray(info.default) ? 'none' : String(info.default));
  return { name, info, schema: schema as JsonSchema, defaultText: defaultText.replaceAll('`', '') };
});

export const appliedWords = {
  live: 'at once',
  'when-idle': 'when no contact is on',
  restart: 'when Sightline is next started',
} as const;
